import { decodeName } from "../../bytes/index.ts";
import { damaged } from "../damaged.ts";
import type { IsoTree } from "./iso-source.ts";

/** How the names of each tree are spelled. */
export const nameOfTree: Readonly<Record<IsoTree, (bytes: Uint8Array) => string>> = {
  "rock ridge": plainName, // where a record has no name of Rock Ridge
  joliet: jolietName,
  enhanced: enhancedName,
  plain: plainName,
};

/** As Linux shows a name of plain ISO 9660: lower case, without `;1` and an empty extension's dot. */
function plainName(bytes: Uint8Array): string {
  const name = Buffer.from(bytes).map((byte) => (byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte));
  return dotted(withoutVersion(decodeName(name)));
}

/** A name of an ISO 9660:1999 tree, as it was written. */
function enhancedName(bytes: Uint8Array): string {
  return dotted(withoutVersion(decodeName(bytes)));
}

/** A name of a Joliet tree: UTF-16, big-endian. */
function jolietName(bytes: Uint8Array): string {
  return withoutVersion(decodeUcs2(bytes));
}

/** UTF-16 text, big-endian, as it stands in Joliet's names and labels. What is not valid becomes U+FFFD. */
export function decodeUcs2(bytes: Uint8Array): string {
  const even = Buffer.from(bytes.subarray(0, bytes.length & ~1)).swap16();
  return even.toString("utf16le").toWellFormed();
}

/** `NAME.;1` and `NAME;1` are `NAME`. */
function withoutVersion(name: string): string {
  return name.length > 2 ? name.replace(/\.?;1$/, "") || name : name;
}

/** Separators that other systems had in names. */
function dotted(name: string): string {
  return name.replace(/[;/]/g, ".");
}

/** Throws `damaged` for a name that cannot be one. */
export function refuseImpossibleName(name: string, recordAt: number): void {
  if (name !== "" && name !== "." && name !== ".." && !/[/\0]/.test(name)) return;
  throw damaged(`the directory record at byte ${recordAt}`, `${JSON.stringify(name)} cannot be a name`);
}
