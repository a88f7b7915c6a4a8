import * as path from "node:path";
import { Failure } from "../../base/index.ts";
import { parseTimeLimit } from "../../bytes/index.ts";
import { parseKeptSpan } from "./kept-span.ts";
import type { KeepRules, PlanCheck, PlanJob, PlanSource } from "./plan.ts";
import type { TomlTable } from "../../bytes/toml/index.ts";
import { readSecretKeys } from "./read-secret-keys.ts";

const usualVolumeBytes = 2_000_000_000;
const leastVolumeBytes = 1024 * 1024;
const usualHookLimitMs = 3_600_000;
const usualBootLimitMs = 600_000;
const usualRetries = 2;
const retryLimit = 100;
const partitionLimit = 9999;
const keptLimit = 100_000;
const levelLimits: Readonly<Record<PlanJob["compress"], number>> = { zstd: 19, gzip: 9, xz: 0, lz4: 0, none: 0 };

/** Reads one job; undefined where it lacks what no job can be without. Relative paths are meant from the plan's folder. */
export function readJob(table: TomlTable, folder: string): PlanJob | undefined {
  const name = table.parsed("name", table.string("name"), parseJobName);
  const source = table.parsed("source", table.string("source"), (text) => parseSource(text, folder));
  const target = table.parsed("target", table.string("target"), (text) => parseTarget(text, folder));
  for (const key of ["name", "source", "target"]) if (!table.has(key)) table.complain(key, "it is missing");
  const partitions = table.numbers("partitions", { minimum: 1, maximum: partitionLimit });
  const packing = readPacking(table);
  const targetMount = table.string("target_mount");
  const onlyIf = table.string("only_if");
  const keep = readKeepRules(table);
  const snapshot = readSnapshot(table);
  const job = {
    whenTargetIsMissing: table.choice("target_missing", ["fail", "skip"]) ?? "fail",
    ...(targetMount === undefined ? {} : { targetMount: path.resolve(folder, targetMount) }),
    ...readTargetAccess(table, folder),
    ...(partitions === undefined ? {} : { partitions }),
    ...packing,
    isUnchecked: table.flag("unchecked") ?? false,
    isCheckedBySystem: table.flag("fsck") ?? false,
    isFrozen: table.flag("freeze") ?? false,
    ...(snapshot === undefined ? {} : { snapshot }),
    isRoomIgnored: table.flag("ignore_room") ?? false,
    retries: table.number("retries", { minimum: 0, maximum: retryLimit }) ?? usualRetries,
    check: readCheck(table),
    ...(keep === undefined ? {} : { keep }),
    ...(onlyIf === undefined ? {} : { onlyIf }),
    before: table.strings("before") ?? [],
    after: table.strings("after") ?? [],
    hookLimitMs: table.parsed("hook_limit", table.string("hook_limit"), parseTimeLimit) ?? usualHookLimitMs,
  };
  table.finish();
  if (name === undefined || source === undefined || target === undefined) return undefined;
  return { name, source, target, ...job };
}

/** It becomes part of names of folders, on file systems of all kinds. */
function parseJobName(text: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(text) && !/\.(?:part|bad)$/.test(text)) return text;
  throw new Failure("usage", "letters, digits, dots and dashes are needed, and a letter or digit in front");
}

function parseSource(text: string, folder: string): PlanSource {
  const [, scheme = "", rest = ""] = /^(serial|id):(.+)$/.exec(text) ?? [];
  if (scheme === "serial") return { kind: "serial", serial: rest };
  if (scheme === "id" && rest.includes("/")) {
    throw new Failure("usage", "id: is followed by a name in /dev/disk/by-id");
  }
  return { kind: "path", path: scheme === "id" ? `/dev/disk/by-id/${rest}` : path.resolve(folder, text) };
}

function parseTarget(text: string, folder: string): string {
  if (!/^[a-z][a-z0-9+.-]+:\/\//.test(text)) return path.resolve(folder, text);
  if (/^[^/]+\/\/[^/@]*:[^/@]*@/.test(text))
    throw new Failure("usage", "there is a password in it, which is not kept in a plan");
  return text;
}

function readTargetAccess(table: TomlTable, folder: string): Pick<PlanJob, "identity" | "targetPassword"> {
  const identity = table.string("identity");
  const targetPassword = readSecretKeys(table, "target_password", folder);
  return {
    ...(identity === undefined ? {} : { identity: path.resolve(folder, identity) }),
    ...(targetPassword === undefined ? {} : { targetPassword }),
  };
}

function readPacking(table: TomlTable): Pick<PlanJob, "compress" | "level" | "volumeBytes"> {
  const compress = table.choice("compress", ["zstd", "gzip", "xz", "lz4", "none"]) ?? "zstd";
  const maximum = levelLimits[compress];
  if (maximum === 0 && table.has("level")) table.complain("level", `there is none with compress = "${compress}"`);
  const level = table.number("level", { minimum: 1, maximum: Math.max(1, maximum) });
  const volumeBytes = table.size("volume_size") ?? usualVolumeBytes;
  if (volumeBytes < leastVolumeBytes) table.complain("volume_size", "1MiB is the least");
  return { compress, ...(level === undefined ? {} : { level }), volumeBytes };
}

/** A size may be among the defaults, for those jobs that have a snapshot. */
function readSnapshot(table: TomlTable): PlanJob["snapshot"] {
  const sizeBytes = table.size("snapshot_size");
  if (table.flag("snapshot") !== true) return undefined;
  if (table.flag("freeze") === true) table.complain("snapshot", "with it, freeze has to be false");
  return sizeBytes === undefined ? {} : { sizeBytes };
}

function readCheck(table: TomlTable): PlanCheck {
  const kind = table.choice("check", ["none", "all", "boot"]) ?? "all";
  const until = table.string("boot_text");
  const timeLimitMs = table.parsed("boot_limit", table.string("boot_limit"), parseTimeLimit) ?? usualBootLimitMs;
  const isEmulated = table.flag("boot_emulated") ?? false;
  if (kind === "boot") return { kind, ...(until === undefined ? {} : { until }), timeLimitMs, isEmulated };
  for (const key of ["boot_text", "boot_limit", "boot_emulated"]) {
    if (table.has(key)) table.complain(key, 'it goes with check = "boot"');
  }
  return { kind };
}

/** Undefined where nothing is ever to be forgotten. */
function readKeepRules(table: TomlTable): KeepRules | undefined {
  const limits = { minimum: 1, maximum: keptLimit };
  const rules = {
    last: table.number("keep_last", limits),
    hourly: table.number("keep_hourly", limits),
    daily: table.number("keep_daily", limits),
    weekly: table.number("keep_weekly", limits),
    monthly: table.number("keep_monthly", limits),
    yearly: table.number("keep_yearly", limits),
    within: table.parsed("keep_within", table.string("keep_within"), parseKeptSpan),
  };
  const given = Object.entries(rules).filter(([, value]) => value !== undefined);
  return given.length === 0 ? undefined : (Object.fromEntries(given) as KeepRules);
}
