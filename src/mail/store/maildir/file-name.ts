import { isMainThread, threadId } from "node:worker_threads";

/** The letters that stand for system flags, in order. */
const flagLetters: Readonly<Record<string, string>> = {
  D: "\\Draft",
  F: "\\Flagged",
  R: "\\Answered",
  S: "\\Seen",
  T: "\\Deleted",
};
const letterOfFlag = new Map(Object.entries(flagLetters).map(([letter, flag]) => [flag.toLowerCase(), letter]));

/** Keywords have the letters from a to z. */
export const keywordLimit = 26;

export interface FileName {
  /** What never changes. */
  readonly base: string;
  /** Those after `:2,`, sorted by whoever wrote them. */
  readonly letters: string;
  /** A comma and what follows it, which is not ours. */
  readonly rest: string;
}

export function baseOf(name: string): string {
  const colon = name.indexOf(":");
  return colon < 0 ? name : name.slice(0, colon);
}

export function parseFileName(name: string): FileName {
  const base = baseOf(name);
  const info = name.lastIndexOf(":2,");
  if (info < 0) return { base, letters: "", rest: "" };
  const comma = name.indexOf(",", info + 3);
  if (comma < 0) return { base, letters: name.slice(info + 3), rest: "" };
  return { base, letters: name.slice(info + 3, comma), rest: name.slice(comma) };
}

export function formatFileName({ base, letters, rest }: FileName): string {
  return `${base}:2,${letters}${rest}`;
}

/** Sorted; letters without a keyword are left out. */
export function flagsOfLetters(letters: string, keywords: readonly (string | undefined)[]): readonly string[] {
  const flags = new Set<string>();
  for (const letter of letters) {
    const flag = flagLetters[letter] ?? keywords[letter.charCodeAt(0) - 97];
    if (flag !== undefined) flags.add(flag);
  }
  return [...flags].sort();
}

/** The letters for these flags, in place of all that stand for flags now; others stay. */
export function lettersWithFlags(
  letters: string,
  flags: readonly string[],
  keywords: readonly (string | undefined)[],
): string {
  const kept = Array.from(letters).filter((letter) => {
    return flagLetters[letter] === undefined && keywords[letter.charCodeAt(0) - 97] === undefined;
  });
  const wanted = flags.flatMap((flag) => letterOf(flag, keywords) ?? []);
  return [...new Set([...kept, ...wanted])].sort().join("");
}

/** Undefined for a keyword that has no letter yet. */
export function letterOf(flag: string, keywords: readonly (string | undefined)[]): string | undefined {
  const lower = flag.toLowerCase();
  const system = letterOfFlag.get(lower);
  if (system !== undefined) return system;
  const index = keywords.findIndex((keyword) => keyword?.toLowerCase() === lower);
  return index < 0 ? undefined : String.fromCharCode(97 + index);
}

/** `S` is the size of the file, `W` that on the wire; undefined where the name does not say. */
export function sizeInName(base: string, which: "S" | "W"): number | undefined {
  const at = base.indexOf(`,${which}=`);
  if (at < 0) return undefined;
  const digits = /^\d{1,15}(?=,|$)/.exec(base.slice(at + 3, at + 20));
  return digits === null ? undefined : Number(digits[0]);
}

/** By the time of delivery: the number before the first dot, then that after `M`, then the whole. */
export function compareDelivery(a: string, b: string): number {
  const [secondsA, microsA] = deliveryOf(a);
  const [secondsB, microsB] = deliveryOf(b);
  return secondsA - secondsB || microsA - microsB || (a < b ? -1 : Number(a > b));
}

function deliveryOf(base: string): readonly [seconds: number, micros: number] {
  const match = /^(\d{1,15})(?:\.M(\d{1,15}))?/.exec(base);
  return match === null ? [0, 0] : [Number(match[1]), Number(match[2] ?? 0)];
}

export interface NameOwner {
  readonly now: () => number;
  readonly pid: number;
  readonly host: string;
}

/** The last time that was used for a name in this process. */
const last = { micros: 0 };

/** A name that nobody else gives to a message: of this time, process and host. Later ones sort after it. */
export function newBaseName({ now, pid, host }: NameOwner): string {
  last.micros = Math.max(Math.floor(now() * 1000), last.micros + 1);
  const seconds = Math.floor(last.micros / 1_000_000);
  const thread = isMainThread ? "" : `T${threadId}`;
  const word = host.replaceAll(/[/:,\s]/g, (sign) => `\\${sign.charCodeAt(0).toString(8).padStart(3, "0")}`);
  return `${seconds}.M${last.micros % 1_000_000}P${pid}${thread}.${word}`;
}
