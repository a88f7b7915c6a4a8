import { extentBlockChecksum } from "../checksum.ts";
import type { BlockRun } from "../block-allocator.ts";
import { fileRuns } from "../block-runs.ts";
import type { ExtInode } from "../ext-inode.ts";
import { extentEntryBytes, extentHeader, extentMaximumBlocks, extentsInInode } from "../extent.ts";
import { encodeExtentNode, type ExtentEntry } from "../extent-node.ts";
import type { FileRun } from "../file-run.ts";
import { inodeFlag } from "../inode.ts";
import { hasFlag, seedOfInode } from "../inode-reader.ts";
import type { EditVolume } from "./edit-volume.ts";

/** A block that holds a part of a map. */
interface MapNode {
  readonly block: number;
  readonly bytes: Uint8Array;
}

/** What an inode says of its map once that is written down. */
export interface WrittenMap {
  /** The 60 bytes of the inode. */
  readonly block: Uint8Array;
  /** All blocks of the file, those of the map included. */
  readonly blockCount: number;
  /** `inodeFlag.extents` or 0. */
  readonly flag: number;
}

const directBlocks = 12;
const pointerBytes = 4;

/**
 * Where the blocks of a file stand, held in memory to be changed. The blocks of the map itself are written anew
 * only where they differ; without a journal those go to new places, so that the inode switches all at once.
 */
export class FileMap {
  readonly #volume: EditVolume;
  readonly #inode: Pick<ExtInode, "id" | "generation">;
  readonly #usesExtents: boolean;
  #runs: FileRun[];
  /** The map's own blocks, each before those below it. */
  #nodes: readonly MapNode[];
  /** The map's own blocks from here on are not used again. */
  #nodeEnd = Infinity;

  private constructor(volume: EditVolume, inode: FileMapOwner, runs: FileRun[], nodes: readonly MapNode[]) {
    this.#volume = volume;
    this.#inode = inode;
    this.#usesExtents = inode.usesExtents;
    this.#runs = runs;
    this.#nodes = nodes;
  }

  /** Reads the map of a file that has one. */
  static async read(volume: EditVolume, inode: ExtInode): Promise<FileMap> {
    const runs: FileRun[] = [];
    const nodes: MapNode[] = [];
    for await (const run of fileRuns(volume.source, inode, (block, bytes) => nodes.push({ block, bytes }))) {
      runs.push(run);
    }
    return new FileMap(volume, { ...inode, usesExtents: hasFlag(inode, "extents") }, runs, nodes);
  }

  /** The map of a file without blocks, in the form that the file system's features ask for. */
  static empty(volume: EditVolume, inode: Pick<ExtInode, "id" | "generation">): FileMap {
    return new FileMap(volume, { ...inode, usesExtents: volume.has("extent") }, [], []);
  }

  get runs(): readonly FileRun[] {
    return this.#runs;
  }

  get usesExtents(): boolean {
    return this.#usesExtents;
  }

  /** The block that holds a block of the file; undefined in a hole or where it was never written. */
  blockAt(logical: number): number | undefined {
    const run = this.#runs[this.#indexOf(logical)];
    const isInRun = run !== undefined && run.logical <= logical && logical < run.logical + run.count;
    if (!isInRun || !run.isWritten) return undefined;
    return run.physical + (logical - run.logical);
  }

  /** The best place for a block of the file: behind the one before it. */
  goalFor(logical: number): number {
    const run = this.#runs[this.#indexOf(logical)];
    const before = run !== undefined && run.logical <= logical ? run : this.#runs[this.#indexOf(logical) - 1];
    if (before === undefined) return this.#volume.goalOf(this.#inode.id);
    return before.physical + Math.min(before.count, logical - before.logical);
  }

  /** Lets go of the blocks from `from` on, `count` of them; they go back to the volume. */
  cut(from: number, count: number): void {
    const end = from + count;
    const kept: FileRun[] = [];
    for (const run of this.#runs) {
      const runEnd = run.logical + run.count;
      const cutFrom = Math.max(run.logical, from);
      const cutTo = Math.min(runEnd, end);
      if (cutFrom >= cutTo) {
        kept.push(run);
        continue;
      }
      this.#volume.release({ start: run.physical + (cutFrom - run.logical), length: cutTo - cutFrom });
      if (cutFrom > run.logical) kept.push({ ...run, count: cutFrom - run.logical });
      if (cutTo < runEnd) {
        const skipped = cutTo - run.logical;
        kept.push({ ...run, logical: cutTo, physical: run.physical + skipped, count: runEnd - cutTo });
      }
    }
    this.#runs = kept;
  }

  /** Puts blocks into a part of the file that has none. */
  put(logical: number, { start, length }: BlockRun, isWritten = true): void {
    const at = this.#runs.findIndex((run) => run.logical > logical);
    this.#runs.splice(at < 0 ? this.#runs.length : at, 0, { logical, physical: start, count: length, isWritten });
    this.#runs = joined(this.#runs);
  }

  /**
   * Gives up the blocks from `end` on, at most `most` of them at a time, for others that the volume hands out; `copy`
   * carries over what is in them. Gives how many it was, those of the map itself, which `store` moves, included.
   */
  async moveBefore(end: number, most: number, copy: (from: number, to: BlockRun) => Promise<void>): Promise<number> {
    this.#nodeEnd = end;
    let moved = this.#nodes.filter(({ block }) => block >= end).length;
    let goal = this.#volume.goalOf(this.#inode.id);
    for (const run of this.#runs.slice()) {
      const before = Math.max(0, end - run.physical);
      if (before > 0) goal = run.physical + Math.min(before, run.count);
      for (let n = before; n < run.count && moved < most;) {
        const logical = run.logical + n;
        const to = await this.#volume.takeBlocks(goal, Math.min(run.count - n, most - moved));
        if (run.isWritten) await copy(run.physical + n, to);
        goal = to.start + to.length;
        this.cut(logical, to.length);
        this.put(logical, to, run.isWritten);
        n += to.length;
        moved += to.length;
      }
    }
    return moved;
  }

  /** Moves the first blocks of the file, `count` of them, all or none: all where one of them is at `end` or behind. */
  async moveHead(end: number, count: number, fill: (to: BlockRun) => Promise<void>): Promise<void> {
    const head = this.#runs.filter(({ logical }) => logical < count);
    if (!head.some((run) => run.physical + Math.min(run.count, count - run.logical) > end)) return;
    for (const { logical, count: length } of head) {
      for (let n = logical; n < Math.min(logical + length, count);) {
        const to = await this.#volume.takeBlocks(
          this.#volume.goalOf(this.#inode.id),
          Math.min(logical + length, count) - n,
        );
        await fill(to);
        this.cut(n, to.length);
        this.put(n, to);
        n += to.length;
      }
    }
  }

  /** Has all blocks of the map itself written to new places. */
  renewNodes(): void {
    this.#nodeEnd = 0;
  }

  /** Gives everything back, the blocks of the map too. */
  release(): void {
    for (const { physical, count } of this.#runs) this.#volume.release({ start: physical, length: count });
    for (const { block } of this.#nodes) this.#volume.release({ start: block, length: 1 });
    this.#runs = [];
    this.#nodes = [];
  }

  /** Writes the map into the transaction. */
  async store(): Promise<WrittenMap> {
    const writer = new NodeWriter(this.#volume, this.#nodes, {
      goal: this.goalFor(Number.MAX_SAFE_INTEGER),
      end: this.#nodeEnd,
    });
    const block = this.#usesExtents
      ? await storeExtents(this.#volume, this.#runs, writer, seedOfInode(this.#volume.layout, this.#inode))
      : await storeIndirect(this.#volume, this.#runs, writer);
    this.#nodes = writer.finish();
    const dataBlocks = this.#runs.reduce((sum, { count }) => sum + count, 0);
    return {
      block,
      blockCount: dataBlocks + this.#nodes.length,
      flag: this.#usesExtents ? inodeFlag.extents : 0,
    };
  }

  /** The index of the last run that begins at or before a block, or else of the first run. */
  #indexOf(logical: number): number {
    let low = 0;
    let high = this.#runs.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.#runs[middle]?.logical ?? Infinity) <= logical) low = middle;
      else high = middle - 1;
    }
    const run = this.#runs[low];
    return run !== undefined && run.logical + run.count <= logical && low + 1 < this.#runs.length ? low + 1 : low;
  }
}

interface FileMapOwner extends Pick<ExtInode, "id" | "generation"> {
  readonly usesExtents: boolean;
}

function joined(runs: readonly FileRun[]): FileRun[] {
  const result: FileRun[] = [];
  for (const run of runs) {
    const last = result.at(-1);
    const follows =
      last !== undefined &&
      last.isWritten === run.isWritten &&
      last.logical + last.count === run.logical &&
      last.physical + last.count === run.physical;
    if (follows) result[result.length - 1] = { ...last, count: last.count + run.count };
    else result.push(run);
  }
  return result;
}

/** Places the blocks of a map, each after those below it, using again what is there. */
class NodeWriter {
  readonly #volume: EditVolume;
  readonly #old: readonly MapNode[];
  readonly #goal: number;
  readonly #end: number;
  readonly #placed = new Map<number, MapNode>();

  /** New blocks are taken near `goal`; old ones from `end` on are not used again. */
  constructor(
    volume: EditVolume,
    old: readonly MapNode[],
    { goal, end }: { readonly goal: number; readonly end: number },
  ) {
    this.#volume = volume;
    this.#old = old;
    this.#goal = goal;
    this.#end = end;
  }

  /** Places the node that comes `position`-th, counting each before those below it; gives its block. */
  async place(position: number, bytes: Uint8Array): Promise<number> {
    const there = this.#old[position];
    const old = there !== undefined && there.block < this.#end ? there : undefined;
    if (old !== undefined && Buffer.compare(old.bytes, bytes) === 0) {
      this.#placed.set(position, old);
      return old.block;
    }
    if (old !== undefined && this.#volume.hasJournal) {
      (await this.#volume.transaction.change(old.block)).set(bytes);
      this.#placed.set(position, { block: old.block, bytes });
      return old.block;
    }
    const block = await this.#volume.takeBlock(this.#goal);
    this.#volume.transaction.freshBlock(block).set(bytes);
    this.#placed.set(position, { block, bytes });
    return block;
  }

  /** Gives back the blocks that are not in use any more; gives the nodes in order. */
  finish(): MapNode[] {
    const inUse = new Set([...this.#placed.values()].map(({ block }) => block));
    for (const { block } of this.#old) if (!inUse.has(block)) this.#volume.release({ start: block, length: 1 });
    return [...this.#placed].sort(([a], [b]) => a - b).map(([, node]) => node);
  }
}

function extentsOf(runs: readonly FileRun[]): ExtentEntry[] {
  const entries: ExtentEntry[] = [];
  for (const run of runs) {
    // A length above 32768 marks blocks that were never written, so of those one less fits.
    const most = run.isWritten ? extentMaximumBlocks : extentMaximumBlocks - 1;
    for (let done = 0; done < run.count; done += most) {
      const length = Math.min(most, run.count - done);
      entries.push({
        logical: run.logical + done,
        block: run.physical + done,
        length: run.isWritten ? length : length + extentMaximumBlocks,
      });
    }
  }
  return entries;
}

async function storeExtents(
  volume: EditVolume,
  runs: readonly FileRun[],
  writer: NodeWriter,
  seed: number,
): Promise<Uint8Array> {
  const { blockSizeBytes, hasChecksums } = volume.layout;
  const perNode = Math.floor((blockSizeBytes - extentHeader.sizeBytes - (hasChecksums ? 4 : 0)) / extentEntryBytes);
  const entries = extentsOf(runs);
  let depth = 0;
  for (let count = entries.length; count > extentsInInode; count = Math.ceil(count / perNode)) depth++;
  let position = 0;
  /** Writes the nodes over these entries, which are `level` levels above the leaves; gives their own entries. */
  const writeLevel = async (part: readonly ExtentEntry[], level: number): Promise<ExtentEntry[]> => {
    const span = perNode ** (level + 1);
    const above: ExtentEntry[] = [];
    for (let first = 0; first < part.length; first += span) {
      const own = part.slice(first, first + span);
      const place = position++;
      const below = level === 0 ? own : await writeLevel(own, level - 1);
      const node = new Uint8Array(blockSizeBytes);
      encodeExtentNode(node, below, level, perNode);
      if (hasChecksums) {
        const tailAt = extentHeader.sizeBytes + perNode * extentEntryBytes;
        new DataView(node.buffer).setUint32(tailAt, extentBlockChecksum(node, tailAt, seed), true);
      }
      above.push({ logical: own[0]?.logical ?? 0, block: await writer.place(place, node), length: 0 });
    }
    return above;
  };
  const block = new Uint8Array(60);
  encodeExtentNode(block, depth === 0 ? entries : await writeLevel(entries, depth - 1), depth, extentsInInode);
  return block;
}

/** ext2's way: 12 direct blocks, then trees of one, two and three levels. */
async function storeIndirect(volume: EditVolume, runs: readonly FileRun[], writer: NodeWriter): Promise<Uint8Array> {
  const perBlock = volume.blockSizeBytes / pointerBytes;
  let current = 0;
  const runAt = (logical: number): FileRun | undefined => {
    let run = runs[current];
    while (run !== undefined && run.logical + run.count <= logical) run = runs[++current];
    return run;
  };
  const blockAt = (logical: number): number => {
    const run = runAt(logical);
    return run === undefined || run.logical > logical ? 0 : run.physical + (logical - run.logical);
  };
  let position = 0;
  const writeTree = async (logical: number, levels: number): Promise<number> => {
    const spanBelow = perBlock ** (levels - 1);
    const run = runAt(logical);
    if (run === undefined || run.logical >= logical + spanBelow * perBlock) return 0;
    const place = position++;
    const node = new Uint8Array(volume.blockSizeBytes);
    const view = new DataView(node.buffer);
    for (let n = 0; n < perBlock; n++) {
      const below = logical + n * spanBelow;
      view.setUint32(n * pointerBytes, levels === 1 ? blockAt(below) : await writeTree(below, levels - 1), true);
    }
    return writer.place(place, node);
  };
  const block = new Uint8Array(60);
  const view = new DataView(block.buffer);
  for (let n = 0; n < directBlocks; n++) view.setUint32(n * pointerBytes, blockAt(n), true);
  let logical = directBlocks;
  for (let levels = 1; levels <= 3; levels++) {
    view.setUint32((directBlocks + levels - 1) * pointerBytes, await writeTree(logical, levels), true);
    logical += perBlock ** levels;
  }
  return block;
}
