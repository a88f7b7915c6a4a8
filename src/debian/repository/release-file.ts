import { Failure } from "../../base/index.ts";
import { fieldOf, parseStanza } from "../control/index.ts";

/** What the Release file of a suite says. */
export interface ReleaseFile {
  readonly origin: string;
  readonly suite: string;
  readonly codename: string;
  readonly dateMs: number;
  readonly validUntilMs: number | undefined;
  readonly architectures: readonly string[];
  readonly components: readonly string[];
  readonly hasByHash: boolean;
  /** Packages of architecture `all` are in an index of their own, not in that of each architecture as well. */
  readonly hasIndexOfAll: boolean;
  /** Only taken from where it is asked for by name, such as experimental. */
  readonly isNotAutomatic: boolean;
  /** Of those, whether newer versions follow by themselves, such as backports. */
  readonly isUpgradedAutomatically: boolean;
  /** By path within the suite. */
  readonly files: ReadonlyMap<string, IndexFile>;
}

export interface IndexFile {
  readonly sizeBytes: number;
  readonly sha256: string;
}

const fileLine = /^ *([0-9a-f]{64}) +(\d{1,15}) +(\S+)$/;

/** The text of a Release file whose signature was checked. `name` is for errors. */
export function parseRelease(text: string, name: string): ReleaseFile {
  const stanza = parseStanza(text, name);
  const field = (key: string): string => fieldOf(stanza, key) ?? "";
  const words = (key: string): string[] =>
    field(key)
      .split(/\s+/)
      .filter((word) => word !== "");
  const architectures = words("Architectures");
  const validUntil = field("Valid-Until");
  return {
    origin: field("Origin"),
    suite: field("Suite"),
    codename: field("Codename"),
    dateMs: timeOf(field("Date"), name),
    validUntilMs: validUntil === "" ? undefined : timeOf(validUntil, name),
    architectures,
    components: words("Components"),
    hasByHash: field("Acquire-By-Hash") === "yes",
    hasIndexOfAll: architectures.includes("all") && !words("No-Support-for-Architecture-all").includes("Packages"),
    isNotAutomatic: field("NotAutomatic") === "yes",
    isUpgradedAutomatically: field("ButAutomaticUpgrades") === "yes",
    files: filesIn(field("SHA256"), name),
  };
}

/** `Sat, 11 Jul 2026 10:16:37 UTC`. */
function timeOf(text: string, name: string): number {
  const timeMs = /\b(UTC|GMT|Z|\+0000)$/.test(text) ? Date.parse(text.replace(/UTC$/, "GMT")) : Number.NaN;
  if (Number.isNaN(timeMs))
    throw new Failure("damaged", `cannot read "${name}": "${text.slice(0, 60)}" is no date in UTC`);
  return timeMs;
}

function filesIn(list: string, name: string): ReadonlyMap<string, IndexFile> {
  const files = new Map<string, IndexFile>();
  for (const line of list.split("\n").slice(1)) {
    const [, sha256, size, path] = fileLine.exec(line) ?? [];
    if (sha256 === undefined || size === undefined || path === undefined) {
      throw new Failure("damaged", `cannot read "${name}": "${line.slice(0, 100)}" is no checksum, size and name`);
    }
    files.set(path, { sizeBytes: Number(size), sha256 });
  }
  if (files.size === 0) {
    throw new Failure("refused", `cannot use "${name}": it has no SHA-256 checksums, and older ones are not safe`);
  }
  return files;
}
