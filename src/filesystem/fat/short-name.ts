import { decodeOem } from "./code-page.ts";
import { lowerBase, lowerExtension, shortNameBytes } from "./directory-entry.ts";

const baseLength = 8;
const nameLength = 11;
/** What may stand in a short name beside letters and digits. */
const shortPunctuation = "!#$%&'()-@^_`{}~";

/** The name that a short one spells, in lower case where its entry says so. */
export function decodeShortName(raw: Uint8Array, caseBits: number): string {
  const name = shortNameBytes(raw);
  const base = decodeOem(name.subarray(0, baseLength)).replace(/ +$/, "");
  const extension = decodeOem(name.subarray(baseLength, nameLength)).replace(/ +$/, "");
  const shownBase = (caseBits & lowerBase) === 0 ? base : base.toLowerCase();
  const shownExtension = (caseBits & lowerExtension) === 0 ? extension : extension.toLowerCase();
  return shownExtension === "" ? shownBase : `${shownBase}.${shownExtension}`;
}

/** A name of at most eight and three characters that needs no long one beside it. */
export interface PlainShortName {
  readonly bytes: Uint8Array;
  readonly caseBits: number;
}

/** The short name that says all of a name: all letters before and all after the dot are of one case. */
export function plainShortName(name: string): PlainShortName | undefined {
  const [base = "", extension = "", ...more] = name.split(".");
  if (more.length > 0 || base === "" || base.length > baseLength || extension.length > nameLength - baseLength) {
    return undefined;
  }
  if (name.endsWith(".") || !Array.from(base + extension).every(isShortCharacter)) return undefined;
  const hasMixedCase = (part: string): boolean => /[a-z]/.test(part) && /[A-Z]/.test(part);
  if (hasMixedCase(base) || hasMixedCase(extension)) return undefined;
  const caseBits = (/[a-z]/.test(base) ? lowerBase : 0) | (/[a-z]/.test(extension) ? lowerExtension : 0);
  return { bytes: paddedName(base, extension), caseBits };
}

function isShortCharacter(character: string): boolean {
  return /^[A-Za-z0-9]$/.test(character) || shortPunctuation.includes(character);
}

function paddedName(base: string, extension: string): Uint8Array {
  return Buffer.from(base.toUpperCase().padEnd(baseLength) + extension.toUpperCase().padEnd(3), "latin1");
}

/** How often a number is put behind a name before a hash of the name goes in. */
const plainTails = 4;

/**
 * A short name to stand beside a long one, which no other of the directory has: what fits of the name, and a number.
 * `isTaken` is asked for the 11 bytes as Latin-1.
 */
export function aliasOf(name: string, isTaken: (shortName: string) => boolean): Uint8Array {
  const { base, extension, isExact } = shortened(name);
  if (isExact && !isTaken(keyOf(paddedName(base, extension)))) return paddedName(base, extension);
  for (let tail = 1; tail <= plainTails; tail++) {
    const alias = withTail(base, `~${tail}`, extension);
    if (!isTaken(keyOf(alias))) return alias;
  }
  for (let hash = hashOf(name); ; hash = (hash + 1) & 0xffff) {
    const stem = base.slice(0, 2) + hash.toString(16).toUpperCase().padStart(4, "0");
    const alias = withTail(stem, "~1", extension);
    if (!isTaken(keyOf(alias))) return alias;
  }
}

function withTail(base: string, tail: string, extension: string): Uint8Array {
  return paddedName(base.slice(0, baseLength - tail.length) + tail, extension);
}

/** The 11 bytes of a short name, to look it up by. */
export function keyOf(shortName: Uint8Array): string {
  return Buffer.from(shortName).toString("latin1");
}

/** What of a name fits a short one, and whether that is all of it but for the case of letters. */
function shortened(name: string): { readonly base: string; readonly extension: string; readonly isExact: boolean } {
  const bare = name.replace(/^[. ]+/, "");
  const dot = bare.lastIndexOf(".");
  const fit = (part: string, length: number): string => {
    const characters = Array.from(part).filter((one) => one !== " " && one !== ".");
    const allowed = characters.map((one) => (isShortCharacter(one) ? one.toUpperCase() : "_"));
    return allowed.slice(0, length).join("");
  };
  const base = fit(dot < 0 ? bare : bare.slice(0, dot), baseLength) || "_";
  const extension = dot < 0 ? "" : fit(bare.slice(dot + 1), nameLength - baseLength);
  const isExact = (extension === "" ? base : `${base}.${extension}`) === name.toUpperCase();
  return { base, extension, isExact };
}

/** A number of 16 bits that differs between names that begin alike. */
function hashOf(name: string): number {
  let hash = 0;
  for (let at = 0; at < name.length; at++) hash = (hash * 31 + name.charCodeAt(at)) & 0xffff;
  return hash;
}
