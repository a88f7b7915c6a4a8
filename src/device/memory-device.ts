import { refuseOutside } from "./bounds.ts";
import type { BlockDevice } from "./block-device.ts";

/** A device over a buffer in memory, which it shares with its maker. */
export class MemoryDevice implements BlockDevice {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get sizeBytes(): number {
    return this.bytes.length;
  }

  async read(at: number, into: Uint8Array): Promise<void> {
    refuseOutside("memory", this.sizeBytes, at, into.length);
    into.set(this.bytes.subarray(at, at + into.length));
  }

  async write(at: number, from: Uint8Array): Promise<void> {
    refuseOutside("memory", this.sizeBytes, at, from.length);
    this.bytes.set(from, at);
  }

  async zero(at: number, lengthBytes: number): Promise<void> {
    refuseOutside("memory", this.sizeBytes, at, lengthBytes);
    this.bytes.fill(0, at, at + lengthBytes);
  }

  async flush(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}
}
