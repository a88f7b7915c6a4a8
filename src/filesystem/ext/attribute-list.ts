import { decodeName } from "../../bytes/index.ts";
import { damaged } from "../damaged.ts";
import {
  xattrBlockHeader,
  xattrBlockHeaderBytes,
  xattrEntry,
  xattrEntryBytes,
  xattrInodeHeaderBytes,
  xattrMagic,
} from "./extended-attribute.ts";
import type { ExtInode } from "./ext-inode.ts";
import type { ExtSource } from "./source.ts";

/** One attribute as it stands on disk. */
export interface RawAttribute {
  readonly nameIndex: number;
  readonly nameBytes: Uint8Array;
  /** Where the value is a file of its own. */
  readonly valueInode: number;
  readonly valueSize: number;
  readonly hash: number;
  /** Empty where the value is a file of its own. */
  readonly value: Uint8Array;
}

const systemIndex = 7;
const inlineDataName = "data";

/** The rest of inline data, behind the first 60 bytes. */
export function inlineDataRest(inode: ExtInode): Uint8Array {
  return inodeAttributes(inode).find(isInlineData)?.value ?? new Uint8Array(0);
}

/** The attribute that is not one: it holds content. */
export function isInlineData(attribute: RawAttribute): boolean {
  return attribute.nameIndex === systemIndex && decodeName(attribute.nameBytes) === inlineDataName;
}

/** All attributes of an inode, those in it and those in its attribute block. */
export async function rawAttributes(source: ExtSource, inode: ExtInode): Promise<RawAttribute[]> {
  const found = inodeAttributes(inode);
  if (inode.xattrBlock !== 0) found.push(...(await blockAttributes(source, inode)));
  return found;
}

export function hasInodeAttributes(inode: ExtInode): boolean {
  if (inode.tail.length < xattrInodeHeaderBytes + 4) return false;
  return xattrBlockHeader.fields.magic[1].decode(viewOf(inode.tail), 0) === xattrMagic;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** Those that stand in the inode itself. */
export function inodeAttributes(inode: ExtInode): RawAttribute[] {
  if (!hasInodeAttributes(inode)) return [];
  const area = inode.tail.subarray(xattrInodeHeaderBytes);
  return parseAttributes(area, 0, `the attributes in inode ${inode.id}`);
}

/** Those in the attribute block of an inode that has one. */
export async function blockAttributes(source: ExtSource, inode: ExtInode): Promise<RawAttribute[]> {
  const what = `the attribute block of inode ${inode.id}`;
  const block = await source.block(inode.xattrBlock, what);
  const header = xattrBlockHeader.decode(block);
  if (header.magic !== xattrMagic) throw damaged(what, "its signature is missing");
  if (header.blockCount !== 1) throw damaged(what, `it says it has ${header.blockCount} blocks`);
  return parseAttributes(block, xattrBlockHeaderBytes, what);
}

/** The entries from `at` on; offsets of values count from the start of `area`. */
function parseAttributes(area: Uint8Array, start: number, what: string): RawAttribute[] {
  const found: RawAttribute[] = [];
  const view = viewOf(area);
  for (let at = start; ;) {
    if (at + 4 > area.length) throw damaged(what, "the list has no end");
    if (view.getUint32(at, true) === 0) return found;
    if (at + xattrEntryBytes > area.length) throw damaged(what, "an entry passes the end");
    const entry = xattrEntry.decode(area, at);
    const nameEnd = at + xattrEntryBytes + entry.nameLength;
    if (nameEnd > area.length) throw damaged(what, "a name passes the end");
    const isInside = entry.valueInode === 0;
    if (isInside && entry.valueOffset + entry.valueSize > area.length) throw damaged(what, "a value passes the end");
    found.push({
      nameIndex: entry.nameIndex,
      nameBytes: area.subarray(at + xattrEntryBytes, nameEnd),
      valueInode: entry.valueInode,
      valueSize: entry.valueSize,
      hash: entry.hash,
      value: isInside ? area.subarray(entry.valueOffset, entry.valueOffset + entry.valueSize) : area.subarray(0, 0),
    });
    at = (nameEnd + 3) & ~3;
  }
}
