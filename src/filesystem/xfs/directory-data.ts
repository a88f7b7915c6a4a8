import { decodeName, printableName } from "../../bytes/index.ts";
import { damaged } from "../damaged.ts";
import type { XfsLayout } from "./layout.ts";

/** A name in a directory, `.` and `..` included. */
export interface DirectoryEntry {
  readonly name: string;
  /** The bytes of the name, in the block. */
  readonly nameBytes: Uint8Array;
  readonly id: number;
  /** What kind of file it says that it is; undefined where directories do not. */
  readonly type: number | undefined;
  /** Where it stands in its block. */
  readonly at: number;
}

const unusedTag = 0xffff;
const plainHeadBytes = 16;
const sealedHeadBytes = 64;
const alignment = 8;
const tailBytes = 8;
const leafEntryBytes = 8;

/** "Block Directories" have their index at the end of the only block; data blocks of larger ones have none. */
export interface DataBlock {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly hasIndex: boolean;
}

/** Where the entries of a block end: before the index, where it has one. */
export function entriesEnd({ bytes, view, hasIndex }: DataBlock, what: string): number {
  if (!hasIndex) return bytes.length;
  const count = view.getUint32(bytes.length - tailBytes);
  const end = bytes.length - tailBytes - count * leafEntryBytes;
  if (end < plainHeadBytes) throw damaged(what, `its index cannot have ${count} entries`);
  return end;
}

/** The entries of a block of a directory. Throws `damaged` where they do not fill it. */
export function* entriesIn(layout: XfsLayout, block: DataBlock, what: string): Generator<DirectoryEntry> {
  const { view } = block;
  const end = entriesEnd(block, what);
  for (let at = layout.hasChecksums ? sealedHeadBytes : plainHeadBytes; at < end;) {
    if (end - at < alignment) throw damaged(what, `it ends in the middle of an entry at ${at}`);
    if (view.getUint16(at) === unusedTag) {
      const lengthBytes = view.getUint16(at + 2);
      if (lengthBytes === 0 || lengthBytes % alignment !== 0 || at + lengthBytes > end) {
        throw damaged(what, `${lengthBytes} unused bytes at ${at} do not fit`);
      }
      at += lengthBytes;
      continue;
    }
    const entry = entryAt(layout, block, { at, end, what });
    yield entry;
    at += entryBytes(layout, entry.nameBytes.length);
  }
}

/** The number, the length of the name, the name, its kind, and where it began: up to a multiple of eight. */
function entryBytes({ hasFileTypes }: XfsLayout, nameBytes: number): number {
  const lengthBytes = 9 + nameBytes + (hasFileTypes ? 1 : 0) + 2;
  return Math.ceil(lengthBytes / alignment) * alignment;
}

/** The entry at a place of a block. Throws `damaged` where there can be none. */
export function entryAt(
  layout: XfsLayout,
  { bytes, view }: DataBlock,
  { at, end, what }: { readonly at: number; readonly end: number; readonly what: string },
): DirectoryEntry {
  const nameLength = at + 9 <= end ? (bytes[at + 8] ?? 0) : 0;
  const lengthBytes = entryBytes(layout, nameLength);
  if (nameLength === 0 || at + lengthBytes > end || view.getUint16(at + lengthBytes - 2) !== at) {
    throw damaged(what, `there is no entry at ${at}`);
  }
  const nameBytes = bytes.subarray(at + 9, at + 9 + nameLength);
  const type = layout.hasFileTypes ? bytes[at + 9 + nameLength] : undefined;
  const id = view.getUint32(at) * 2 ** 32 + view.getUint32(at + 4);
  return { name: nameIn(nameBytes, what), nameBytes, id, type, at };
}

function nameIn(bytes: Uint8Array, what: string): string {
  const name = decodeName(bytes);
  if (!/[/\0]/.test(name)) return name;
  throw damaged(what, `"${printableName(name)}" cannot be a name`);
}

/** What a directory is in whose few names stand in the inode ("Shortform Directories"). */
export interface ShortDirectory {
  readonly parent: number;
  /** Without `.` and `..`, which are not written down. */
  readonly entries: readonly DirectoryEntry[];
}

export function readShortDirectory(layout: XfsLayout, bytes: Uint8Array, what: string): ShortDirectory {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isWide = bytes.length > 1 && bytes[1] !== 0;
  const numberBytes = isWide ? 8 : 4;
  const numberAt = (at: number): number => {
    if (at + numberBytes > bytes.length) throw damaged(what, "its names do not fit the inode");
    return isWide ? view.getUint32(at) * 2 ** 32 + view.getUint32(at + 4) : view.getUint32(at);
  };
  const parent = numberAt(2);
  const entries: DirectoryEntry[] = [];
  let at = 2 + numberBytes;
  for (let n = 0; n < (bytes[0] ?? 0); n++) {
    const nameLength = bytes[at] ?? 0;
    const nameEnd = at + 3 + nameLength;
    const idAt = nameEnd + (layout.hasFileTypes ? 1 : 0);
    const id = numberAt(idAt);
    if (nameLength === 0) throw damaged(what, "a name in it has no length");
    const nameBytes = bytes.subarray(at + 3, nameEnd);
    const type = layout.hasFileTypes ? bytes[nameEnd] : undefined;
    entries.push({ name: nameIn(nameBytes, what), nameBytes, id, type, at });
    at = idAt + numberBytes;
  }
  return { parent, entries };
}
