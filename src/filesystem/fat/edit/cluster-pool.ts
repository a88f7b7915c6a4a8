import { Failure } from "../../../base/index.ts";
import { Bitmap } from "../../../bytes/index.ts";
import type { BlockReader } from "../../../device/index.ts";
import type { ClusterRun } from "../chain.ts";
import { firstCluster, isCluster, type FatLayout } from "../layout.ts";
import { allEntries, marksOf } from "../table.ts";

/** Which clusters are free, and which of them come next. */
export class ClusterPool {
  readonly #used: Bitmap;
  readonly #end: number;
  /** Clusters that hold what the device still refers to: free once that has changed. */
  #released: ClusterRun[] = [];
  #releasedCount = 0;
  #freeCount: number;
  /** Where the next file goes. */
  #next: number;

  private constructor(used: Bitmap, freeCount: number, next: number) {
    this.#used = used;
    this.#end = used.length;
    this.#freeCount = freeCount;
    this.#next = next;
  }

  /** Goes through the whole table: what it counts is true whatever the file system says of itself. */
  static async open(reader: BlockReader, layout: FatLayout, next: number): Promise<ClusterPool> {
    const { mask } = marksOf[layout.kind];
    const used = new Bitmap(firstCluster + layout.clusterCount);
    used.setRange(0, firstCluster);
    let free = 0;
    for await (const { first, entries } of allEntries(reader, layout)) {
      for (let n = Math.max(0, firstCluster - first); n < entries.length; n++) {
        if (((entries[n] ?? 0) & mask) === 0) free++;
        else used.set(first + n);
      }
    }
    return new ClusterPool(used, free, isCluster(layout, next) ? next : firstCluster);
  }

  /** How many clusters will be free once all that was released is. */
  get freeCount(): number {
    return this.#freeCount + this.#releasedCount;
  }

  get next(): number {
    return this.#next;
  }

  /** Throws `no-space` unless so many clusters can be taken now. */
  need(count: number): void {
    if (count > this.#freeCount) throw noSpace(count, this.#freeCount);
  }

  /** From 1 to `count` adjacent clusters: all of them where there are so many, else the longest stretch there is. */
  take(count: number): ClusterRun {
    this.need(1);
    const run = this.#find(count);
    this.#used.setRange(run.start, run.count);
    this.#freeCount -= run.count;
    this.#next = run.start + run.count < this.#end ? run.start + run.count : firstCluster;
    return run;
  }

  /** Gives clusters back that nothing on the device refers to. */
  giveBack(start: number, count: number): void {
    this.#used.clearRange(start, count);
    this.#freeCount += count;
    if (start < this.#next) this.#next = Math.min(this.#next, start);
  }

  /** Gives clusters up that are free once the changes are made. */
  release(start: number, count: number): void {
    this.#released.push({ start, count });
    this.#releasedCount += count;
  }

  /** The changes are made. */
  settle(): void {
    for (const { start, count } of this.#released) this.giveBack(start, count);
    this.#released = [];
    this.#releasedCount = 0;
  }

  #find(count: number): ClusterRun {
    let longest: ClusterRun = { start: 0, count: 0 };
    for (const [from, to] of [
      [this.#next, this.#end],
      [firstCluster, this.#next],
    ] as const) {
      for (let start = this.#used.nextClear(from, to); start >= 0;) {
        const limit = Math.min(to, start + count);
        const used = this.#used.nextSet(start, limit);
        const length = (used < 0 ? limit : used) - start;
        if (length === count) return { start, count };
        if (length > longest.count) longest = { start, count: length };
        if (used < 0) break;
        start = this.#used.nextClear(used, to);
      }
    }
    return longest;
  }
}

function noSpace(needed: number, free: number): Failure {
  return new Failure("no-space", `cannot write: ${needed} clusters are needed, ${free} are free`, {
    hint: "what is deleted by the same command is free only after it",
  });
}
