import { Failure } from "../../base/index.ts";
import { encodeName } from "../../bytes/index.ts";
import { damaged } from "../damaged.ts";
import type { DirectoryItem } from "../file-system.ts";
import { ForkBlocks } from "./directory-blocks.ts";
import { entriesEnd, entriesIn, entryAt, readShortDirectory, type DirectoryEntry } from "./directory-data.ts";
import { blockIndex, entryIn, firstFrom, leafAfter, leafFor, type IndexPart } from "./directory-index.ts";
import { forkFormats, type XfsInode } from "./inode.ts";
import { hashOfName } from "./name-hash.ts";
import type { XfsSource } from "./xfs-source.ts";

/** Entries with one hash, of which more would be no accident. */
const alikeLimit = 65_536;

function isOwn({ name }: DirectoryEntry): boolean {
  return name === "." || name === "..";
}

/** The names in a directory, block by block, without `.` and `..`. */
export async function* listDirectory(source: XfsSource, inode: XfsInode): AsyncGenerator<readonly DirectoryItem[]> {
  for await (const entries of directoryEntries(source, inode)) {
    const items = entries.filter((entry) => !isOwn(entry)).map(({ name, id }) => ({ name, id }));
    if (items.length > 0) yield items;
  }
}

async function* directoryEntries(source: XfsSource, inode: XfsInode): AsyncGenerator<readonly DirectoryEntry[]> {
  const what = `the directory in inode ${inode.id}`;
  if (inode.data.format === forkFormats.local) {
    yield readShortDirectory(source.layout, contentOf(inode, what), what).entries;
    return;
  }
  const blocks = await ForkBlocks.ofDirectory(source, inode);
  for (const number of blocks.dataBlockNumbers()) {
    yield [...entriesIn(source.layout, await blocks.dataBlock(number), what)];
  }
}

/** What stands in an inode of a directory or a link. Throws `damaged` where it has no room for it. */
export function contentOf({ data, sizeBytes }: XfsInode, what: string): Uint8Array {
  if (sizeBytes > data.bytes.length) throw damaged(what, `${sizeBytes} bytes have no room in the inode`);
  return data.bytes.subarray(0, sizeBytes);
}

/** The id of one name in a directory, by its index; where that is damaged, or cannot be used, by looking at all. */
export async function findInDirectory(source: XfsSource, inode: XfsInode, name: string): Promise<number | undefined> {
  if (name === "." || name === "..") return undefined;
  if (source.layout.foldsCase || inode.data.format === forkFormats.local) return findByLooking(source, inode, name);
  try {
    return await findByIndex(source, inode, encodeName(name));
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== "damaged") throw error;
    return findByLooking(source, inode, name);
  }
}

async function findByLooking(source: XfsSource, inode: XfsInode, name: string): Promise<number | undefined> {
  const fold = source.layout.foldsCase ? foldName : (text: string) => text;
  const wanted = fold(name);
  for await (const items of listDirectory(source, inode)) {
    const found = items.find((item) => fold(item.name) === wanted);
    if (found !== undefined) return found.id;
  }
  return undefined;
}

/** Only the letters of ASCII are folded. */
function foldName(name: string): string {
  return name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

async function findByIndex(source: XfsSource, inode: XfsInode, name: Buffer): Promise<number | undefined> {
  const blocks = await ForkBlocks.ofDirectory(source, inode);
  const hash = hashOfName(name);
  let part = await firstPart(source, blocks, hash);
  let n = part === undefined ? 0 : firstFrom(part, hash);
  for (let alike = 0; part !== undefined && alike < alikeLimit; alike++) {
    if (n >= part.count) {
      part = await leafAfter(source, blocks, part);
      n = 0;
      continue;
    }
    const entry = entryIn(part, n++);
    if (entry.hash !== hash) return undefined;
    const found = entry.address === 0 ? undefined : await entryOf(source, blocks, entry.address);
    if (found !== undefined && name.equals(found.nameBytes)) return found.id;
  }
  return undefined;
}

async function firstPart(source: XfsSource, blocks: ForkBlocks, hash: number): Promise<IndexPart | undefined> {
  const [run] = blocks.runs;
  if (run === undefined) throw damaged(blocks.what, "it has no blocks");
  const block = await blocks.dataBlock(0);
  if (block.hasIndex) return blockIndex(block, entriesEnd(block, blocks.what));
  return leafFor(source, blocks, hash);
}

async function entryOf(source: XfsSource, blocks: ForkBlocks, address: number): Promise<DirectoryEntry> {
  const { directoryBlockBytes } = source.layout;
  const number = Math.floor((address * 8) / directoryBlockBytes);
  const block = await blocks.dataBlock(number);
  const at = address * 8 - number * directoryBlockBytes;
  return entryAt(source.layout, block, { at, end: entriesEnd(block, blocks.what), what: blocks.what });
}
