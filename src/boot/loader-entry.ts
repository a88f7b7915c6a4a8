import { compareVersions } from "./compare-versions.ts";

/** An entry of the Boot Loader Specification (UAPI.1), "Type #1": a file of its own. Paths as they are written. */
export interface LoaderEntry {
  /** The name of its file, without `.conf` and what counts tries. */
  readonly id: string;
  readonly title: string;
  readonly version: string;
  readonly sortKey: string;
  readonly machineId: string;
  /** Empty where it starts something else. */
  readonly linux: string;
  readonly initrds: readonly string[];
  readonly options: string;
  /** `x64`, `aa64` and so on, as firmware calls machines. */
  readonly architecture: string;
  /** It was tried as often as it was to be, and never succeeded. */
  readonly isBad: boolean;
}

/** Parses an entry. Lines that the specification does not know are ignored, as it asks for. */
export function parseLoaderEntry(fileName: string, text: string): LoaderEntry {
  const values = new Map<string, string[]>();
  for (const line of text.split(/\r?\n/)) {
    const match = /^([\w-]+)[ \t]+(.*)$/.exec(line.trim()); // `#` begins no key
    if (match === null) continue;
    const [, key = "", value = ""] = match;
    values.set(key, [...(values.get(key) ?? []), value]);
  }
  const last = (key: string): string => values.get(key)?.at(-1) ?? "";
  const stem = fileName.replace(/\.conf$/, "");
  const counted = /^(.+)\+(\d+)(?:-\d+)?$/.exec(stem);
  return {
    id: counted?.[1] ?? stem,
    title: last("title"),
    version: last("version"),
    sortKey: last("sort-key"),
    machineId: last("machine-id"),
    linux: last("linux"),
    initrds: (values.get("initrd") ?? []).flatMap((words) => words.split(/\s+/)).filter(isPlain),
    options: (values.get("options") ?? []).join(" "),
    architecture: last("architecture"),
    isBad: counted !== null && Number(counted[2]) === 0,
  };
}

/** Variables of GRUB, as Fedora writes them into entries, name nothing here. */
function isPlain(word: string): boolean {
  return word !== "" && !word.includes("$");
}

/** The order in which entries are shown, the best first (UAPI.1, "Sorting"). */
export function compareEntries(a: LoaderEntry, b: LoaderEntry): number {
  if (a.isBad !== b.isBad) return a.isBad ? 1 : -1;
  const hasKey = [a, b].map(({ sortKey }) => sortKey !== "");
  if (hasKey[0] !== hasKey[1]) return hasKey[0] === true ? -1 : 1;
  if (hasKey[0] === true) {
    const byKey = compareBytes(a.sortKey, b.sortKey) || compareBytes(a.machineId, b.machineId);
    const difference = byKey || compareVersions(b.version, a.version);
    if (difference !== 0) return difference;
  }
  return compareVersions(b.id, a.id);
}

function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
