import { Failure } from "../base/index.ts";
import type { Bitmap } from "../bytes/index.ts";
import type { ClusterRun } from "./cluster-run.ts";

/** Which clusters are free, and which of them come next. */
export class ClusterPool {
  readonly #used: Bitmap;
  /** The cluster that bit 0 stands for. */
  readonly #base: number;
  /** Clusters that hold what the device still refers to: free once that has changed. */
  #released: ClusterRun[] = [];
  #releasedCount = 0;
  #freeCount: number;
  /** The bit where the next file goes. */
  #next: number;

  /** The bits of `used` that stand for no cluster are set. Files go from cluster `next` on, where that is one. */
  constructor(used: Bitmap, { baseCluster, next }: { readonly baseCluster: number; readonly next: number }) {
    this.#used = used;
    this.#base = baseCluster;
    this.#freeCount = used.length - used.countSet();
    this.#next = next >= baseCluster && next < baseCluster + used.length ? next - baseCluster : 0;
  }

  /** How many clusters will be free once all that was released is. */
  get freeCount(): number {
    return this.#freeCount + this.#releasedCount;
  }

  /** How many can be taken now. */
  get freeNow(): number {
    return this.#freeCount;
  }

  get next(): number {
    return this.#base + this.#next;
  }

  /** Throws `no-space` unless so many clusters can be taken now. */
  need(count: number): void {
    if (count > this.#freeCount) throw noSpace(count, this.#freeCount);
  }

  /**
   * From 1 to `count` adjacent clusters: those from `near` on if they are free, else all of them where there are so
   * many, else the longest stretch there is.
   */
  take(count: number, near?: number): ClusterRun {
    this.need(1);
    const { start, count: taken } = this.#freeAt(near, count) ?? this.#find(count);
    this.#used.setRange(start, taken);
    this.#freeCount -= taken;
    this.#next = start + taken < this.#used.length ? start + taken : 0;
    return { start: start + this.#base, count: taken };
  }

  /** Gives clusters back that nothing on the device refers to. */
  giveBack(start: number, count: number): void {
    const bit = start - this.#base;
    this.#used.clearRange(bit, count);
    this.#freeCount += count;
    if (bit < this.#next) this.#next = bit;
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

  /** So many bits from a cluster on, if they are clear. */
  #freeAt(near: number | undefined, count: number): ClusterRun | undefined {
    if (near === undefined) return undefined;
    const start = near - this.#base;
    const isFree = start >= 0 && start + count <= this.#used.length && this.#used.nextSet(start, start + count) < 0;
    return isFree ? { start, count } : undefined;
  }

  /** The same as bits. */
  #find(count: number): ClusterRun {
    let longest: ClusterRun = { start: 0, count: 0 };
    for (const [from, to] of [
      [this.#next, this.#used.length],
      [0, this.#next],
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
