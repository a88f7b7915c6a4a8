import { Bitmap } from "../../bytes/index.ts";
import { groupLength, groupStart, superblockRunLength, type ExtGeometry } from "./geometry.ts";

/** Adjacent blocks. */
export interface BlockRun {
  readonly start: number;
  readonly length: number;
}

/**
 * Hands out the blocks of a new file system from the first to the last. Once they are used up it goes on with
 * blocks past the end, which exist only as a count: `blocksTaken` then says how many would have been needed.
 */
export class BlockAllocator {
  readonly #geometry: ExtGeometry;
  readonly #isSparse: boolean;
  readonly #bitmaps = new Map<number, Bitmap>();
  readonly #freeInGroup: Float64Array;
  #lastFlex: { readonly first: number; readonly runs: readonly BlockRun[] } | undefined;
  #group = 0;
  #nextInGroup = 0;
  #free: number;
  #taken = 0;
  #beyond = 0;

  /** With `isVirtual` no block is there from the start on: everything is only counted. */
  constructor(geometry: ExtGeometry, options: { readonly isSparse: boolean; readonly isVirtual: boolean }) {
    this.#geometry = geometry;
    this.#isSparse = options.isSparse;
    this.#freeInGroup = Float64Array.from({ length: geometry.groupCount }, (_, group) => this.#initiallyFree(group));
    this.#free = options.isVirtual ? 0 : geometry.freeBlocks;
  }

  get blocksTaken(): number {
    return this.#taken;
  }

  get freeBlocks(): number {
    return this.#free;
  }

  get isOverfull(): boolean {
    return this.#beyond > 0;
  }

  freeInGroup(group: number): number {
    return this.#freeInGroup[group] ?? 0;
  }

  /** The bitmap of a group in which blocks were taken, undefined where only its own structures are. */
  touchedBitmap(group: number): Bitmap | undefined {
    return this.#bitmaps.get(group);
  }

  /** From 1 to `wanted` adjacent blocks. */
  take(wanted: number): BlockRun {
    if (this.#free === 0) return this.#takeBeyond(wanted);
    for (;;) {
      const free = this.#freeInGroup[this.#group] ?? 0;
      if (free > 0) {
        const bitmap = this.bitmapOf(this.#group);
        const first = bitmap.nextClear(this.#nextInGroup);
        if (first >= 0) {
          const end = Math.min(first + wanted, bitmap.length);
          const used = bitmap.nextSet(first, end);
          const length = (used < 0 ? end : used) - first;
          bitmap.setRange(first, length);
          this.#freeInGroup[this.#group] = free - length;
          this.#free -= length;
          this.#taken += length;
          this.#nextInGroup = first + length;
          return { start: groupStart(this.#geometry, this.#group) + first, length };
        }
      }
      this.#group = (this.#group + 1) % this.#geometry.groupCount;
      this.#nextInGroup = 0;
    }
  }

  /** Gives blocks back that `take` gave. */
  release(run: BlockRun): void {
    this.#taken -= run.length;
    const { firstDataBlock, blocksPerGroup, blockCount } = this.#geometry;
    if (run.start >= blockCount) return;
    const group = Math.floor((run.start - firstDataBlock) / blocksPerGroup);
    this.bitmapOf(group).clearRange(run.start - groupStart(this.#geometry, group), run.length);
    this.#freeInGroup[group] = (this.#freeInGroup[group] ?? 0) + run.length;
    this.#free += run.length;
  }

  /** The bitmap of a group, its own structures marked. */
  bitmapOf(group: number): Bitmap {
    const known = this.#bitmaps.get(group);
    if (known !== undefined) return known;
    const bitmap = this.initialBitmap(group);
    this.#bitmaps.set(group, bitmap);
    return bitmap;
  }

  /** What is used in a group before anything is put in. */
  initialBitmap(group: number): Bitmap {
    const start = groupStart(this.#geometry, group);
    const length = groupLength(this.#geometry, group);
    const bitmap = new Bitmap(length, new Uint8Array(this.#geometry.blockSizeBytes));
    for (const run of this.#structuresIn(group)) bitmap.setRange(run.start - start, run.length);
    return bitmap;
  }

  /**
   * Whether a group holds nothing but the superblock copy, bitmaps and inode table that are its own: what
   * a reader takes it to hold without looking at its bitmap.
   */
  hasOnlyOwnStructures(group: number): boolean {
    if (this.#bitmaps.has(group)) return false;
    return this.#geometry.groupsPerFlex === 1 || this.#tablesIn(group).next().done === true;
  }

  #takeBeyond(wanted: number): BlockRun {
    const { blocksPerGroup, blockCount } = this.#geometry;
    // As broken up as in real groups, so that as many extents come out.
    const length = Math.min(wanted, blocksPerGroup - (this.#beyond % blocksPerGroup));
    const start = blockCount + this.#beyond;
    this.#beyond += length;
    this.#taken += length;
    return { start, length };
  }

  #initiallyFree(group: number): number {
    let free = groupLength(this.#geometry, group);
    for (const run of this.#structuresIn(group)) free -= run.length;
    return free;
  }

  /** The parts of structures that stand in this group, whichever group of the same flex they belong to. */
  *#structuresIn(group: number): Generator<BlockRun> {
    const start = groupStart(this.#geometry, group);
    const copies = superblockRunLength(this.#geometry, group, this.#isSparse);
    if (copies > 0) yield { start, length: copies };
    yield* this.#tablesIn(group);
  }

  *#tablesIn(group: number): Generator<BlockRun> {
    const start = groupStart(this.#geometry, group);
    const end = start + groupLength(this.#geometry, group);
    for (const run of this.#flexRuns(group)) yield* within(run, start, end);
  }

  /** The bitmaps and inode tables of the flex that a group belongs to, as few runs. Groups are asked for in order. */
  #flexRuns(group: number): readonly BlockRun[] {
    const { groupsPerFlex, groupCount, inodeTableBlocks, blockBitmaps, inodeBitmaps, inodeTables } = this.#geometry;
    const first = group - (group % groupsPerFlex);
    if (this.#lastFlex?.first === first) return this.#lastFlex.runs;
    const single: BlockRun[] = [];
    for (let other = first; other < Math.min(first + groupsPerFlex, groupCount); other++) {
      single.push({ start: blockBitmaps[other] ?? 0, length: 1 });
      single.push({ start: inodeBitmaps[other] ?? 0, length: 1 });
      single.push({ start: inodeTables[other] ?? 0, length: inodeTableBlocks });
    }
    const runs = joined(single);
    this.#lastFlex = { first, runs };
    return runs;
  }
}

/** Runs in ascending order, those that follow each other as one. */
function joined(runs: readonly BlockRun[]): BlockRun[] {
  const result: BlockRun[] = [];
  for (const run of runs.toSorted((a, b) => a.start - b.start)) {
    const last = result.at(-1);
    if (last !== undefined && last.start + last.length === run.start) {
      result[result.length - 1] = { start: last.start, length: last.length + run.length };
    } else result.push(run);
  }
  return result;
}

function* within(run: BlockRun, start: number, end: number): Generator<BlockRun> {
  const from = Math.max(run.start, start);
  const to = Math.min(run.start + run.length, end);
  if (to > from) yield { start: from, length: to - from };
}
