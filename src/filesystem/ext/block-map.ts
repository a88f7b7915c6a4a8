import type { BlockRun } from "./block-allocator.ts";
import { extentBlockChecksum, inodeChecksumSeed } from "./checksum.ts";
import { extentEntryBytes, extentHeader, extentMaximumBlocks, extentsInInode } from "./extent.ts";
import { encodeExtentNode, type ExtentEntry } from "./extent-node.ts";
import { inodeFlag } from "./inode.ts";
import type { ExtVolume } from "./volume.ts";

/** Blocks of a file: `length` blocks from logical block `logical` on stand from block `start` on. */
export interface MappedRun extends BlockRun {
  readonly logical: number;
}

/** How an inode says where its blocks are. */
export interface BlockMap {
  /** The 60 bytes of the inode. */
  readonly block: Uint8Array;
  readonly flags: number;
  /** Blocks that the map itself takes. */
  readonly mapBlocks: number;
}

/** Adds blocks to the end of a file's runs, joined to the last run where they follow it. */
export function appendRun(runs: MappedRun[], logical: number, run: BlockRun): void {
  const last = runs.at(-1);
  if (last !== undefined && last.logical + last.length === logical && last.start + last.length === run.start) {
    runs[runs.length - 1] = { logical: last.logical, start: last.start, length: last.length + run.length };
  } else {
    runs.push({ logical, start: run.start, length: run.length });
  }
}

/** Writes down where the blocks of `inode` are, in the way that the file system's features ask for. */
export async function writeBlockMap(volume: ExtVolume, inode: number, runs: readonly MappedRun[]): Promise<BlockMap> {
  return volume.has("extent") ? writeExtents(volume, inode, runs) : writeIndirect(volume, runs);
}

async function writeExtents(volume: ExtVolume, inode: number, runs: readonly MappedRun[]): Promise<BlockMap> {
  let entries = runs.length <= extentsInInode && runs.every(isShort) ? asEntries(runs) : splitLong(runs);
  let depth = 0;
  let mapBlocks = 0;
  while (entries.length > extentsInInode) {
    const above = await writeExtentLevel(volume, inode, entries, depth);
    mapBlocks += above.length;
    entries = above;
    depth++;
  }
  const block = new Uint8Array(60);
  encodeExtentNode(block, entries, depth, extentsInInode);
  return { block, flags: inodeFlag.extents, mapBlocks };
}

const isShort = (run: MappedRun): boolean => run.length <= extentMaximumBlocks;

function asEntries(runs: readonly MappedRun[]): ExtentEntry[] {
  return runs.map(({ logical, start, length }) => ({ logical, block: start, length }));
}

function splitLong(runs: readonly MappedRun[]): ExtentEntry[] {
  const entries: ExtentEntry[] = [];
  for (const run of runs) {
    for (let done = 0; done < run.length; done += extentMaximumBlocks) {
      const length = Math.min(extentMaximumBlocks, run.length - done);
      entries.push({ logical: run.logical + done, block: run.start + done, length });
    }
  }
  return entries;
}

/** Writes one level of nodes, as full as can be; gives the entries of the level above. */
async function writeExtentLevel(
  volume: ExtVolume,
  inode: number,
  entries: readonly ExtentEntry[],
  depth: number,
): Promise<ExtentEntry[]> {
  const { blockSizeBytes, checksumSeed } = volume;
  const tailBytes = checksumSeed === undefined ? 0 : 4;
  const limit = Math.floor((blockSizeBytes - extentHeader.sizeBytes - tailBytes) / extentEntryBytes);
  const above: ExtentEntry[] = [];
  for (let first = 0; first < entries.length; first += limit) {
    const part = entries.slice(first, first + limit);
    const node = new Uint8Array(blockSizeBytes);
    encodeExtentNode(node, part, depth, limit);
    if (checksumSeed !== undefined) {
      const tailAt = extentHeader.sizeBytes + limit * extentEntryBytes;
      const checksum = extentBlockChecksum(node, tailAt, inodeChecksumSeed(checksumSeed, inode, 0));
      new DataView(node.buffer).setUint32(tailAt, checksum, true);
    }
    const { start } = volume.blocks.take(1);
    await volume.putBlock(start, node);
    above.push({ logical: part[0]?.logical ?? 0, block: start, length: 0 });
  }
  return above;
}

export const directBlocks = 12;

/** ext2's way: 12 direct blocks, then trees of one, two and three levels of blocks full of block numbers. */
async function writeIndirect(volume: ExtVolume, runs: readonly MappedRun[]): Promise<BlockMap> {
  const map = new IndirectMap(volume, runs);
  const block = new Uint8Array(60);
  const view = new DataView(block.buffer);
  for (let n = 0; n < directBlocks; n++) view.setUint32(n * 4, map.blockAt(n), true);
  let logical = directBlocks;
  const perBlock = volume.blockSizeBytes / 4;
  for (let levels = 1; levels <= 3; levels++) {
    view.setUint32((directBlocks + levels - 1) * 4, await map.writeTree(logical, levels), true);
    logical += perBlock ** levels;
  }
  return { block, flags: 0, mapBlocks: map.mapBlocks };
}

class IndirectMap {
  mapBlocks = 0;
  readonly #volume: ExtVolume;
  readonly #runs: readonly MappedRun[];
  readonly #perBlock: number;
  /** The first run that does not end before the block asked for last: questions come in ascending order. */
  #current = 0;

  constructor(volume: ExtVolume, runs: readonly MappedRun[]) {
    this.#volume = volume;
    this.#runs = runs;
    this.#perBlock = volume.blockSizeBytes / 4;
  }

  /** Where a logical block is, 0 for a hole. */
  blockAt(logical: number): number {
    const run = this.#runAt(logical);
    // A volume that is overfull may have numbers past 32 bits; they are written nowhere.
    return run === undefined || run.logical > logical ? 0 : (run.start + (logical - run.logical)) % 2 ** 32;
  }

  /** Writes the tree over the logical blocks from `logical` on; gives its top block, 0 where all is a hole. */
  async writeTree(logical: number, levels: number): Promise<number> {
    const spanBelow = this.#perBlock ** (levels - 1);
    const run = this.#runAt(logical);
    if (run === undefined || run.logical >= logical + spanBelow * this.#perBlock) return 0;
    const node = new Uint8Array(this.#volume.blockSizeBytes);
    const view = new DataView(node.buffer);
    for (let n = 0; n < this.#perBlock; n++) {
      const below = logical + n * spanBelow;
      const block = levels === 1 ? this.blockAt(below) : await this.writeTree(below, levels - 1);
      view.setUint32(n * 4, block, true);
    }
    const { start } = this.#volume.blocks.take(1);
    this.mapBlocks++;
    await this.#volume.putBlock(start, node);
    return start % 2 ** 32;
  }

  #runAt(logical: number): MappedRun | undefined {
    let run = this.#runs[this.#current];
    while (run !== undefined && run.logical + run.length <= logical) run = this.#runs[++this.#current];
    return run;
  }
}
