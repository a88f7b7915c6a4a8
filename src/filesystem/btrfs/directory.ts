import { crc32c, decodeName, encodeName } from "../../bytes/index.ts";
import type { EntryKind } from "../../tree/index.ts";
import { damaged } from "../damaged.ts";
import type { Key } from "./key.ts";
import { directoryItem } from "./records.ts";

/** A name in a directory, or of an attribute. */
export interface NamedItem {
  readonly name: string;
  readonly target: Key;
  readonly type: number;
  readonly value: Uint8Array;
}

/** `type` of what a name stands for, by kind. */
export const fileTypes: Readonly<Record<EntryKind, number>> = {
  file: 1,
  directory: 2,
  character: 3,
  block: 4,
  fifo: 5,
  socket: 6,
  symlink: 7,
};

/** The names in one item: several where their hashes are the same. Throws `damaged` where they are cut off. */
export function namesIn(item: Uint8Array, what: string): NamedItem[] {
  const names: NamedItem[] = [];
  for (let at = 0; at < item.length;) {
    if (at + directoryItem.sizeBytes > item.length) throw damaged(what, "a name in it is cut off");
    const { target, dataBytes, nameBytes, type } = directoryItem.decode(item, at);
    const nameAt = at + directoryItem.sizeBytes;
    const valueAt = nameAt + nameBytes;
    at = valueAt + dataBytes;
    if (at > item.length || nameBytes === 0) throw damaged(what, "a name in it is cut off");
    names.push({ name: decodeName(item, nameAt, valueAt), target, type, value: item.subarray(valueAt, at) });
  }
  return names;
}

/** Throws `damaged` for a name that no file can have. */
export function refuseImpossibleName(name: string, what: string): void {
  if (name !== "." && name !== ".." && !/[/\0]/.test(name)) return;
  throw damaged(what, `${JSON.stringify(name)} cannot be a name`);
}

/** What a name's item has as the offset of its key. */
export function nameHash(name: string): number {
  return crc32c(encodeName(name), 0xfffffffe);
}
