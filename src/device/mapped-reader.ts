import { refuseOutside } from "./bounds.ts";
import type { BlockReader } from "./block-device.ts";

/** A stretch of one reader that appears in another, at another place or the same. */
export interface MappedStretch {
  readonly at: number;
  /** Where it begins in the reader that it comes from. */
  readonly from: number;
  readonly lengthBytes: number;
}

/** Stretches of a reader put together anew, zeros between them. It borrows the reader: disposing of it closes nothing. */
export class MappedReader implements BlockReader {
  readonly sizeBytes: number;
  readonly #inner: BlockReader;
  readonly #stretches: readonly MappedStretch[];

  /** The stretches do not overlap where they appear, and do not pass `sizeBytes`. */
  constructor(inner: BlockReader, sizeBytes: number, stretches: readonly MappedStretch[]) {
    this.#inner = inner;
    this.sizeBytes = sizeBytes;
    this.#stretches = stretches;
    for (const { at, lengthBytes } of stretches) refuseOutside("the device", sizeBytes, at, lengthBytes);
  }

  async read(at: number, into: Uint8Array): Promise<void> {
    refuseOutside("the device", this.sizeBytes, at, into.length);
    into.fill(0);
    for (const stretch of this.#stretches) {
      const start = Math.max(at, stretch.at);
      const end = Math.min(at + into.length, stretch.at + stretch.lengthBytes);
      if (start < end) await this.#inner.read(stretch.from + start - stretch.at, into.subarray(start - at, end - at));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
