import { Bitmap } from "../../bytes/index.ts";
import { damaged } from "../damaged.ts";
import { valueOf, type Attribute } from "./attributes.ts";
import { putBackEnds } from "./fixups.ts";
import { decodeUnits } from "./ntfs-name.ts";
import type { NtfsFile, NtfsSource } from "./ntfs-source.ts";
import {
  attributeTypes,
  directoryIndex,
  entryFlags,
  fileName,
  indexBlock,
  indexEntry,
  indexRoot,
  indexSignature,
  nameSpaces,
} from "./records.ts";
import { readStream, type Stream } from "./stream.ts";

/** A name in a directory. */
export interface NameEntry {
  readonly record: number;
  readonly sequence: number;
  readonly name: string;
  readonly nameSpace: number;
}

/** An entry of an index: a name, unless it is the last one of a node, and what is before it, if there is something. */
export interface IndexEntry {
  readonly entry: NameEntry | undefined;
  /** The number, in the words of the index, of the block with all names before this one. */
  readonly child: number | undefined;
}

/** The index of a directory. */
export interface DirectoryIndex {
  readonly root: readonly IndexEntry[];
  readonly blockBytes: number;
  /** Absent where all names are in the root. */
  readonly blocks: Stream | undefined;
  /** How many blocks there are, and which of them are in use. */
  readonly blockCount: number;
  readonly used: Bitmap;
  /** What blocks are numbered in: clusters, or 512 bytes where blocks are smaller. */
  readonly numberBytes: number;
}

const blockSizes: ReadonlySet<number> = new Set([512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536]);
const smallestNumberBytes = 512;
const rootEntriesAt = 16; // of $INDEX_ROOT
const blockEntriesAt = 24;
/** More names than this in one directory would take too much memory to tell apart. */
const bitmapLimitBytes = 4 * 1024 * 1024;

export async function openIndex(source: NtfsSource, directory: NtfsFile): Promise<DirectoryIndex> {
  const what = `directory ${directory.record.number}`;
  const root = directory.attributes.find(isIndexRoot);
  if (root === undefined || root.isOutside) throw damaged(what, "it has no index");
  const value = valueOf(root);
  if (value.length < indexRoot.sizeBytes) throw damaged(what, `its index has ${value.length} bytes`);
  const { blockBytes, type } = indexRoot.decode(value);
  if (!blockSizes.has(blockBytes) || type !== attributeTypes.fileName) {
    throw damaged(what, `its index, of type ${type} with blocks of ${blockBytes} bytes, cannot be`);
  }
  const blocks = source.stream(directory, attributeTypes.indexAllocation, directoryIndex);
  const blockCount = blocks === undefined ? 0 : Math.floor(blocks.dataBytes / blockBytes);
  const { clusterBytes } = source.geometry;
  return {
    root: entriesIn(value.subarray(rootEntriesAt), indexRoot.decode(value), what),
    blockBytes,
    blocks,
    blockCount,
    used: await usedBlocks(source, directory, blockCount, what),
    numberBytes: clusterBytes <= blockBytes ? clusterBytes : smallestNumberBytes,
  };
}

function isIndexRoot({ type, name }: Attribute): boolean {
  return type === attributeTypes.indexRoot && name === directoryIndex;
}

async function usedBlocks(source: NtfsSource, file: NtfsFile, blockCount: number, what: string): Promise<Bitmap> {
  if (blockCount === 0) return new Bitmap(0);
  const stream = source.stream(file, attributeTypes.bitmap, directoryIndex);
  const neededBytes = Math.ceil(blockCount / 8);
  if (stream === undefined || neededBytes > bitmapLimitBytes) {
    throw damaged(what, `which of its ${blockCount} blocks are in use is not told`);
  }
  // A bitmap that ends before means that nothing behind it is in use.
  const bytes = new Uint8Array(neededBytes);
  bytes.set(await readStream(source, stream, 0, Math.min(neededBytes, stream.dataBytes)));
  return new Bitmap(blockCount, bytes);
}

/** One block of an index, with what its header says of its own place. Throws `damaged`. */
export async function readBlock(
  source: NtfsSource,
  { blocks, blockBytes, numberBytes }: DirectoryIndex,
  block: number,
  what: string,
): Promise<readonly IndexEntry[]> {
  if (blocks === undefined) throw damaged(what, `it has no block ${block}`);
  const bytes = await readStream(source, blocks, block * blockBytes, blockBytes);
  const where = `block ${block} of ${what}`;
  if (indexBlock.get(bytes, "signature") !== indexSignature) throw damaged(where, "it is none");
  putBackEnds(bytes, where);
  const header = indexBlock.decode(bytes);
  if (header.ownBlock * numberBytes !== block * blockBytes) {
    throw damaged(where, `it says that it is number ${header.ownBlock}`);
  }
  return entriesIn(bytes.subarray(blockEntriesAt), header, where);
}

/** The entries of a node, whose own header `node` begins with. */
function entriesIn(
  node: Uint8Array,
  { entriesOffset, entriesBytes }: { readonly entriesOffset: number; readonly entriesBytes: number },
  what: string,
): IndexEntry[] {
  const found: IndexEntry[] = [];
  if (entriesBytes > node.length) throw damaged(what, `its entries, ${entriesBytes} bytes, pass its end`);
  for (let at = entriesOffset; at + indexEntry.sizeBytes <= entriesBytes;) {
    const { lengthBytes, keyBytes, flags, recordLow, recordHigh, sequence } = indexEntry.decode(node, at);
    const end = at + lengthBytes;
    const hasChild = (flags & entryFlags.hasChild) !== 0;
    const isLast = (flags & entryFlags.last) !== 0;
    const keyEnd = at + indexEntry.sizeBytes + (isLast ? 0 : keyBytes);
    if (end > entriesBytes || keyEnd + (hasChild ? 8 : 0) > end) {
      throw damaged(what, `it has an entry of ${lengthBytes} bytes at ${at}`);
    }
    const child = hasChild
      ? Number(new DataView(node.buffer, node.byteOffset + end - 8).getBigUint64(0, true))
      : undefined;
    if (isLast) return [...found, { entry: undefined, child }];
    const key = decodeKey(node.subarray(at + indexEntry.sizeBytes, keyEnd), what);
    found.push({ entry: { record: recordLow + recordHigh * 2 ** 32, sequence, ...key }, child });
    at = end;
  }
  throw damaged(what, "its entries have no end");
}

/** The name in a $FILE_NAME. Throws `damaged`. */
export function decodeKey(key: Uint8Array, what: string): Pick<NameEntry, "name" | "nameSpace"> {
  if (key.length < fileName.sizeBytes) throw damaged(what, `a name in it has ${key.length} bytes`);
  const { nameUnits, nameSpace } = fileName.decode(key);
  const end = fileName.sizeBytes + nameUnits * 2;
  if (end > key.length) throw damaged(what, `a name in it passes its end`);
  return { name: decodeUnits(key.subarray(fileName.sizeBytes, end)), nameSpace };
}

/** All names of a directory, block by block, in the order of the disk. Throws `damaged`. */
export async function* namesIn(source: NtfsSource, directory: NtfsFile): AsyncGenerator<NameEntry[]> {
  const index = await openIndex(source, directory);
  const what = `directory ${directory.record.number}`;
  yield entriesWithNames(index.root);
  for (let block = index.used.nextSet(0); block >= 0; block = index.used.nextSet(block + 1)) {
    yield entriesWithNames(await readBlock(source, index, block, what));
  }
}

function entriesWithNames(entries: readonly IndexEntry[]): NameEntry[] {
  return entries.flatMap(({ entry }) => (entry === undefined ? [] : [entry]));
}

/** Whether a name is a file's own, and not the short one that was made for old programs. */
export function isOwnName({ nameSpace }: Pick<NameEntry, "nameSpace">): boolean {
  return nameSpace !== nameSpaces.dos;
}
