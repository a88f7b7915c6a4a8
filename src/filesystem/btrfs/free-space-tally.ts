import type { Chunk } from "./chunk-map.ts";

/** What is free of a chunk, in few numbers: two tallies of the same runs are the same. */
export class FreeSpaceTally {
  readonly #end: number;
  #runStart: number;
  #runEnd: number;
  #hash = 0;
  freeBytes = 0;
  runCount = 0;

  constructor({ logical, lengthBytes }: Chunk) {
    this.#end = logical + lengthBytes;
    this.#runStart = logical;
    this.#runEnd = logical;
  }

  /** A stretch that is free, in ascending order. */
  free(start: number, end: number): void {
    if (start !== this.#runEnd) {
      this.#close();
      this.#runStart = start;
    }
    this.#runEnd = end;
  }

  /** A stretch that is in use, in ascending order: what lies between two of them is free. */
  use(start: number, end: number): void {
    if (start > this.#runEnd) {
      this.#runStart = this.#runEnd;
      this.#runEnd = start;
      this.#close();
    }
    this.#runStart = end;
    this.#runEnd = end;
  }

  /** Ends a tally of what is in use: the rest is free. */
  useNoMore(): void {
    this.use(this.#end, this.#end);
  }

  get sum(): string {
    this.#close();
    return `${this.freeBytes} ${this.#hash}`;
  }

  #close(): void {
    const lengthBytes = this.#runEnd - this.#runStart;
    if (lengthBytes > 0) {
      this.freeBytes += lengthBytes;
      this.runCount++;
      const place =
        Math.imul(this.#runStart >>> 0, 0x9e3779b1) ^ Math.imul(Math.floor(this.#runStart / 2 ** 32), 0x85ebca6b);
      const mixed = place ^ Math.imul(lengthBytes >>> 0, 0xc2b2ae35);
      this.#hash = (this.#hash + Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d)) | 0;
    }
    this.#runStart = this.#runEnd;
  }
}
