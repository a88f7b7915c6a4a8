import { MemoryDevice } from "../../src/device/index.ts";

/** A device that calls a halt where more than so much of it is read, again and again included. */
export class BoundedDevice extends MemoryDevice {
  #leftBytes: number;

  constructor(bytes: Uint8Array, limitBytes: number) {
    super(bytes);
    this.#leftBytes = limitBytes;
  }

  override async read(at: number, into: Uint8Array): Promise<void> {
    this.#leftBytes -= into.length;
    if (this.#leftBytes < 0) throw new Error("reads without end");
    await super.read(at, into);
  }
}
