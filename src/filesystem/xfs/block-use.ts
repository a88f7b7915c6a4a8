import { Bitmap } from "../../bytes/index.ts";

/** What is wrong with a claim: the first block that is not the claimer's, and what else it is. */
export interface Conflict {
  readonly block: number;
  readonly isFree: boolean;
}

/**
 * Which blocks of some allocation groups are used, and which are free. Blocks are counted over the whole file system;
 * what is outside the window is passed over.
 */
export class BlockUse {
  readonly start: number;
  readonly end: number;
  readonly #used: Bitmap;
  readonly #free: Bitmap;
  /** Blocks that several files may have. */
  readonly #shared: Bitmap | undefined;
  /** How often files claimed those, and how often the tree of references says that they do. */
  sharedClaims = 0;
  expectedClaims = 0;

  constructor(start: number, end: number, hasShared: boolean) {
    this.start = start;
    this.end = end;
    this.#used = new Bitmap(end - start);
    this.#free = new Bitmap(end - start);
    this.#shared = hasShared ? new Bitmap(end - start) : undefined;
  }

  markFree(block: number, count: number): Conflict | undefined {
    const [from, to] = this.#clip(block, count);
    if (from >= to) return undefined;
    const taken = this.#used.nextSet(from, to);
    const twice = this.#free.nextSet(from, to);
    this.#free.setRange(from, to - from);
    if (taken >= 0) return { block: this.start + taken, isFree: false };
    return twice < 0 ? undefined : { block: this.start + twice, isFree: true };
  }

  markShared(block: number, count: number, references: number): void {
    const [from, to] = this.#clip(block, count);
    if (from >= to) return;
    this.#shared?.setRange(from, to - from);
    this.expectedClaims += (to - from) * references;
  }

  /** Takes blocks for one owner. */
  claim(block: number, count: number): Conflict | undefined {
    const [from, to] = this.#clip(block, count);
    if (from >= to) return undefined;
    if (this.#shared !== undefined) this.sharedClaims += this.#shared.countSet(from, to);
    const free = this.#free.nextSet(from, to);
    const twice = this.#secondOwner(from, to);
    this.#used.setRange(from, to - from);
    if (free >= 0) return { block: this.start + free, isFree: true };
    return twice < 0 ? undefined : { block: this.start + twice, isFree: false };
  }

  /** The first free block of a stretch, or -1. */
  firstFree(block: number, count: number): number {
    const [from, to] = this.#clip(block, count);
    const free = from < to ? this.#free.nextSet(from, to) : -1;
    return free < 0 ? -1 : this.start + free;
  }

  /** How many blocks from `block` on are neither free nor used. */
  countLost(block: number, count: number): number {
    const [from, to] = this.#clip(block, count);
    let lost = 0;
    for (let n = this.#used.nextClear(from, to); n >= 0 && n < to;) {
      const used = this.#used.nextSet(n, to);
      const end = used < 0 ? to : used;
      lost += end - n - this.#free.countSet(n, end);
      n = this.#used.nextClear(end, to);
    }
    return lost;
  }

  /** The first block that has an owner already, and may not have two. */
  #secondOwner(from: number, to: number): number {
    for (let n = this.#used.nextSet(from, to); n >= 0; n = this.#used.nextSet(n + 1, to)) {
      if (this.#shared === undefined || !this.#shared.has(n)) return n;
    }
    return -1;
  }

  #clip(block: number, count: number): readonly [number, number] {
    return [Math.max(block, this.start) - this.start, Math.min(block + count, this.end) - this.start];
  }
}
