import { OverlayDevice, SliceReader, type BlockDevice, type BlockReader } from "../../device/index.ts";

/**
 * A device with more behind its end: what is there comes from a reader, and what is written there stays in memory. So a
 * file system can be shrunk to a device that is too small for it before. It borrows both.
 */
export class StackedDevice implements BlockDevice {
  readonly sizeBytes: number;
  readonly #lower: BlockDevice;
  readonly #upper: BlockDevice;

  constructor(lower: BlockDevice, whole: BlockReader) {
    this.sizeBytes = whole.sizeBytes;
    this.#lower = lower;
    this.#upper = new OverlayDevice(new SliceReader(whole, lower.sizeBytes, whole.sizeBytes - lower.sizeBytes));
  }

  async read(at: number, into: Uint8Array): Promise<void> {
    const count = this.#inLower(at, into.length);
    if (count > 0) await this.#lower.read(at, into.subarray(0, count));
    if (count < into.length) await this.#upper.read(at + count - this.#lower.sizeBytes, into.subarray(count));
  }

  async write(at: number, from: Uint8Array): Promise<void> {
    const count = this.#inLower(at, from.length);
    if (count > 0) await this.#lower.write(at, from.subarray(0, count));
    if (count < from.length) await this.#upper.write(at + count - this.#lower.sizeBytes, from.subarray(count));
  }

  async zero(at: number, lengthBytes: number): Promise<void> {
    const count = this.#inLower(at, lengthBytes);
    if (count > 0) await this.#lower.zero(at, count);
    if (count < lengthBytes) await this.#upper.zero(at + count - this.#lower.sizeBytes, lengthBytes - count);
  }

  async flush(): Promise<void> {
    await this.#lower.flush();
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #inLower(at: number, lengthBytes: number): number {
    return Math.max(0, Math.min(lengthBytes, this.#lower.sizeBytes - at));
  }
}
