import { crc32c, encodeName } from "../../bytes/index.ts";
import { aclToDisk } from "./access-control-list.ts";
import { checksumNumber } from "./checksum.ts";
import {
  splitXattrName,
  xattrBlockHash,
  xattrBlockHeader,
  xattrBlockHeaderBytes,
  xattrEntry,
  xattrEntryBytes,
  xattrEntryHash,
  xattrInodeHeaderBytes,
  xattrMagic,
} from "./extended-attribute.ts";

/** An attribute in the form of the disk. */
interface Attribute {
  readonly nameIndex: number;
  readonly name: Uint8Array;
  readonly value: Uint8Array;
}

/** Attributes in the two forms in which they are kept. */
export interface EncodedAttributes {
  /** To stand in the inode right after its extra fields; empty where there are none. */
  readonly inInode: Uint8Array;
  /** A block for what does not fit there, with one reference and no checksum yet; undefined where all fits. */
  readonly block: Uint8Array | undefined;
  /** Full names of attributes that ext cannot hold. */
  readonly refused: readonly string[];
}

export interface AttributeRoom {
  /** Behind the fields of the inode. */
  readonly inInodeBytes: number;
  readonly blockSizeBytes: number;
}

/** Encodes attributes by their full names: in the inode as long as there is room, the rest in a block. */
export function encodeAttributes(
  xattrs: ReadonlyMap<string, Uint8Array> | undefined,
  { inInodeBytes, blockSizeBytes }: AttributeRoom,
): EncodedAttributes {
  const refused: string[] = [];
  const inInode: Attribute[] = [];
  const inBlock: Attribute[] = [];
  let inodeRoom = inInodeBytes - xattrInodeHeaderBytes - 4;
  let blockRoom = blockSizeBytes - xattrBlockHeaderBytes - 4;
  for (const [fullName, value] of xattrs ?? []) {
    const attribute = toAttribute(fullName, value);
    const space = attribute === undefined ? Number.POSITIVE_INFINITY : spaceOf(attribute);
    if (attribute === undefined || (space > inodeRoom && space > blockRoom)) {
      refused.push(fullName);
    } else if (space <= inodeRoom) {
      inodeRoom -= space;
      inInode.push(attribute);
    } else {
      blockRoom -= space;
      inBlock.push(attribute);
    }
  }
  return {
    inInode: inInode.length === 0 ? new Uint8Array(0) : encodeInInode(inInode, inInodeBytes),
    block: inBlock.length === 0 ? undefined : encodeBlock(inBlock, blockSizeBytes),
    refused,
  };
}

/** Says in an attribute block how many files share it, and makes its checksum right. */
export function sealAttributeBlock(
  bytes: Uint8Array,
  place: { readonly block: number; readonly references: number; readonly checksumSeed: number | undefined },
): void {
  const { block, references, checksumSeed } = place;
  xattrBlockHeader.patch(bytes, { referenceCount: references, checksum: 0 });
  if (checksumSeed === undefined) return;
  const low = checksumNumber(block % 2 ** 32, checksumSeed);
  const checksum = crc32c(bytes, checksumNumber(Math.floor(block / 2 ** 32), low));
  xattrBlockHeader.patch(bytes, { checksum });
}

function encodeInInode(attributes: readonly Attribute[], inInodeBytes: number): Uint8Array {
  const area = new Uint8Array(inInodeBytes);
  new DataView(area.buffer).setUint32(0, xattrMagic, true);
  encodeEntries(area, xattrInodeHeaderBytes, xattrInodeHeaderBytes, attributes);
  return area;
}

function encodeBlock(attributes: Attribute[], blockSizeBytes: number): Uint8Array {
  attributes.sort(byDiskOrder);
  const bytes = new Uint8Array(blockSizeBytes);
  const hashes = encodeEntries(bytes, xattrBlockHeaderBytes, 0, attributes);
  xattrBlockHeader.patch(bytes, {
    magic: xattrMagic,
    referenceCount: 1,
    blockCount: 1,
    hash: xattrBlockHash(hashes),
  });
  return bytes;
}

function toAttribute(fullName: string, value: Uint8Array): Attribute | undefined {
  const { nameIndex, rest } = splitXattrName(fullName);
  const name = encodeName(rest);
  if (nameIndex === 0 || name.length > 255) return undefined;
  const isAcl = nameIndex === 2 || nameIndex === 3;
  const stored = isAcl ? aclToDisk(value) : value;
  return stored === undefined ? undefined : { nameIndex, name, value: stored };
}

const align4 = (length: number): number => (length + 3) & ~3;

function spaceOf({ name, value }: Attribute): number {
  return align4(xattrEntryBytes + name.length) + align4(value.length);
}

/** Attribute blocks are sorted by prefix, length of name, name. */
function byDiskOrder(a: Attribute, b: Attribute): number {
  return a.nameIndex - b.nameIndex || a.name.length - b.name.length || Buffer.compare(a.name, b.name);
}

/** Entries from `at` on upwards, values from the end downwards, `origin` being offset 0; gives the entries' hashes. */
function encodeEntries(area: Uint8Array, at: number, origin: number, attributes: readonly Attribute[]): number[] {
  let valueAt = area.length;
  let entryAt = at;
  const hashes: number[] = [];
  for (const { nameIndex, name, value } of attributes) {
    valueAt -= align4(value.length);
    area.set(value, valueAt);
    const hash = xattrEntryHash(name, value);
    hashes.push(hash);
    const fields = {
      nameLength: name.length,
      nameIndex,
      valueOffset: value.length === 0 ? 0 : valueAt - origin,
      valueInode: 0,
      valueSize: value.length,
      hash,
    };
    xattrEntry.patch(area, fields, entryAt);
    area.set(name, entryAt + xattrEntryBytes);
    entryAt += align4(xattrEntryBytes + name.length);
  }
  return hashes;
}
