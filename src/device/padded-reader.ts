import { refuseOutside } from "./bounds.ts";
import type { BlockReader } from "./block-device.ts";

/** The beginning of a reader with zeros behind it, up to a size. It borrows the reader: disposing of it closes nothing. */
export class PaddedReader implements BlockReader {
  readonly sizeBytes: number;
  readonly #inner: BlockReader;
  readonly #keptBytes: number;

  constructor(inner: BlockReader, size: { readonly keptBytes: number; readonly sizeBytes: number }) {
    this.#inner = inner;
    this.#keptBytes = Math.min(size.keptBytes, size.sizeBytes);
    this.sizeBytes = size.sizeBytes;
  }

  async read(at: number, into: Uint8Array): Promise<void> {
    refuseOutside("the device", this.sizeBytes, at, into.length);
    const kept = Math.max(0, Math.min(into.length, this.#keptBytes - at));
    if (kept > 0) await this.#inner.read(at, into.subarray(0, kept));
    into.fill(0, kept);
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
