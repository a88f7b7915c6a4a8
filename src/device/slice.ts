import { refuseOutside } from "./bounds.ts";
import type { BlockDevice, BlockReader } from "./block-device.ts";

/** A window on a reader: it bounds and borrows, disposing of it closes nothing. */
export class SliceReader implements BlockReader {
  readonly sizeBytes: number;
  protected readonly startBytes: number;
  readonly #inner: BlockReader;

  constructor(inner: BlockReader, startBytes: number, sizeBytes: number) {
    refuseOutside("the device", inner.sizeBytes, startBytes, sizeBytes);
    this.#inner = inner;
    this.startBytes = startBytes;
    this.sizeBytes = sizeBytes;
  }

  async read(at: number, into: Uint8Array): Promise<void> {
    refuseOutside("the slice", this.sizeBytes, at, into.length);
    await this.#inner.read(this.startBytes + at, into);
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** A window on a device: it bounds and borrows, disposing of it closes nothing. */
export class SliceDevice extends SliceReader implements BlockDevice {
  readonly #inner: BlockDevice;

  constructor(inner: BlockDevice, startBytes: number, sizeBytes: number) {
    super(inner, startBytes, sizeBytes);
    this.#inner = inner;
  }

  async write(at: number, from: Uint8Array): Promise<void> {
    refuseOutside("the slice", this.sizeBytes, at, from.length);
    await this.#inner.write(this.startBytes + at, from);
  }

  async zero(at: number, lengthBytes: number): Promise<void> {
    refuseOutside("the slice", this.sizeBytes, at, lengthBytes);
    await this.#inner.zero(this.startBytes + at, lengthBytes);
  }

  async flush(): Promise<void> {
    await this.#inner.flush();
  }
}
