import { Failure, stopIfAborted, type JobOptions } from "../../base/index.ts";
import { startDisk, type StartDiskRequest } from "../../disk/index.ts";
import { editFileSystem, openFileSystem } from "../../filesystem/index.ts";
import type { EntryTest, TestFirmware, Verdict } from "../entry-test.ts";
import { shownFiles, type ShownFile } from "../key-files.ts";
import { entriesFor } from "../machines.ts";
import { choiceInMenu, parseChoice, type NamedEntry } from "../menu-choice.ts";
import { recordTest } from "../menu-files.ts";
import { openKeyForChanges } from "../open-key.ts";
import { secureBootVerdict } from "../secure-boot.ts";
import type { StartMethod } from "../recognise/index.ts";
import { watchStart } from "./watch-start.ts";

export interface TestKeyRequest extends Pick<
  StartDiskRequest,
  "path" | "bus" | "memoryBytes" | "cpus" | "accelerate" | "network" | "env"
> {
  /** As `key list` shows them, with `#2` behind for a second entry. None: everything. */
  readonly names: readonly string[];
  /** Absent: those that the key and each entry are for. */
  readonly firmwares?: readonly TestFirmware[];
  /** Only this counts as having started, said on the serial port. */
  readonly until?: string;
  /** For each entry. */
  readonly timeLimitMs: number;
  /** Of this program, for the records. */
  readonly version: string;
  readonly clock: () => number;
}

/** An entry under a firmware, as it is tried. */
export interface Trial {
  /** Of the file, without the `/` in front. */
  readonly name: string;
  readonly title: string;
  /** Which entry of it, counted from 1. */
  readonly entry: number;
  readonly firmware: TestFirmware;
}

export interface TriedEntry extends Trial, Verdict {
  readonly seconds: number;
  /** Absent: the file was merely copied, and the key keeps nothing of it. */
  readonly isRecorded?: true;
}

export interface TestKeyOptions extends JobOptions {
  readonly onTrial?: (trial: Trial) => void;
  /** Told of each once it is recorded. */
  readonly onTried?: (tried: TriedEntry) => void;
}

interface Plan extends Trial {
  readonly file: ShownFile;
  readonly kind: StartMethod["kind"];
  readonly choice: string;
}

/**
 * Starts entries of a key in virtual machines, one after the other, and keeps on the key what came of each. Throws
 * `interrupted` with all recorded that was seen until then.
 */
export async function testKey(request: TestKeyRequest, options: TestKeyOptions = {}): Promise<readonly TriedEntry[]> {
  const tried: TriedEntry[] = [];
  for (const plan of await plansOf(request)) {
    const { name, title, entry, firmware } = plan;
    const trial = { name, title, entry, firmware };
    options.onTrial?.(trial);
    const startedMs = request.clock();
    const verdict = await start(plan, request, options);
    stopIfAborted(options.signal);
    const seconds = Math.round((request.clock() - startedMs) / 100) / 10;
    const isRecorded = plan.file.record !== undefined;
    if (isRecorded) await keep(plan, verdict, request);
    const one = { ...trial, ...verdict, seconds, ...(isRecorded ? { isRecorded } : {}) };
    tried.push(one);
    options.onTried?.(one);
  }
  return tried;
}

/** For changes, so that a key that cannot be written to is known before the first machine is started. */
async function plansOf({ path, names, firmwares }: TestKeyRequest): Promise<readonly Plan[]> {
  await using key = await openKeyForChanges(path);
  await using boot = await openFileSystem(key.boot);
  await using isos = await openFileSystem(key.isos);
  const files = await shownFiles(boot, isos);
  const paths = files.map((file) => file.path);
  const { secureBootSigners: trusted } = key.settings;
  const usual = trusted === undefined ? (["bios", "uefi"] as const) : (["bios", "uefi", "secure"] as const);
  const wanted: readonly NamedEntry[] =
    names.length === 0 ? paths.map((one) => ({ path: one })) : names.map((one) => parseChoice(one, paths));
  const plans = wanted.flatMap((named) => {
    const file = files.find((one) => one.path === named.path);
    if (file === undefined) return [];
    if (firmwares !== undefined) return firmwares.flatMap((firmware) => plansFor(file, firmware, named));
    const plansOfFile = usual.flatMap((firmware) => plansFor(file, firmware, named));
    return plansOfFile.filter((plan) => plan.firmware !== "secure" || isForSecureBoot(plan, trusted ?? []));
  });
  if (plans.length > 0) return plans;
  throw new Failure("not-found", `cannot test "${path}": there is nothing on it that is started so on a PC`, {
    hint: "key list shows what is there",
  });
}

/** Whether it is not known that firmware which starts only what is signed refuses it. */
function isForSecureBoot({ file: { record }, entry }: Plan, trusted: readonly string[]): boolean {
  const recorded = record?.entries[entry - 1];
  const verdict = recorded === undefined ? "unknown" : secureBootVerdict(recorded, trusted);
  return verdict === "starts" || verdict === "unknown";
}

function plansFor(file: ShownFile, firmware: TestFirmware, { number }: NamedEntry): readonly Plan[] {
  const name = file.path.slice(1);
  const { record } = file;
  if (record === undefined) {
    const kind = kindOfCopied(name, firmware);
    const plan = { name, title: name, entry: 1, firmware, file, choice: choiceInMenu({ path: file.path }, []) };
    return kind === undefined ? [] : [{ ...plan, kind }];
  }
  const numbers = entriesFor(firmware === "bios" ? "bios" : "uefi", record.entries).filter(
    (one) => number === undefined || one === number,
  );
  return numbers.flatMap((entry) => {
    const found = record.entries[entry - 1];
    if (found === undefined) return [];
    const { title, kind } = found;
    const choice = choiceInMenu({ path: file.path, number: entry }, record.entries);
    return [{ name, title, entry, firmware, file, kind, choice }];
  });
}

/** What the menu takes a file for that was merely copied; undefined where it does not show it. */
function kindOfCopied(name: string, firmware: TestFirmware): StartMethod["kind"] | undefined {
  if (/\.efi$/i.test(name)) return firmware === "bios" ? undefined : "efi";
  if (/\.img$/i.test(name)) return firmware === "bios" ? "memdisk" : undefined;
  return "configfile"; // which may be: its own menu is gone on with
}

async function start({ firmware, kind, choice }: Plan, request: TestKeyRequest, job: JobOptions): Promise<Verdict> {
  const { path, bus, memoryBytes, cpus, accelerate, network, env, until, timeLimitMs } = request;
  await using disk = await startDisk({
    path,
    firmware: firmware === "bios" ? "bios" : "uefi",
    secureBoot: firmware === "secure",
    snapshot: true,
    memoryBytes,
    cpus,
    window: false,
    accelerate,
    firmwareText: `holdfast-key serial loud start=${choice}`,
    env,
    ...(bus === undefined ? {} : { bus }),
    ...(network === undefined ? {} : { network }),
  });
  const awaited = { kind, ...(until === undefined ? {} : { until }) };
  return await watchStart(disk, awaited, { timeLimitMs, signal: job.signal });
}

async function keep({ file, entry, firmware }: Plan, verdict: Verdict, request: TestKeyRequest): Promise<void> {
  const { path, version, clock } = request;
  const nowMs = clock();
  const now = { seconds: Math.floor(nowMs / 1000), nanoseconds: 0 };
  const { sizeBytes, modified } = file;
  const identity = { sizeBytes, modifiedSeconds: modified.seconds };
  const test: EntryTest = { entry, firmware, ...verdict, at: new Date(nowMs).toISOString(), version, ...identity };
  await using key = await openKeyForChanges(path);
  await using boot = await editFileSystem(key.boot, { now });
  await recordTest(boot, file.path, test, now);
  await boot.commit();
}
