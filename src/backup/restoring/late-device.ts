import type { BlockDevice } from "../../device/index.ts";
import type { Extent } from "../../filesystem/index.ts";

/**
 * A device some stretches of which are kept in memory until all else is on it: the table of a disk, the beginning of a
 * partition. On the device they are zero from the start, so what is cut off is not taken for whole. It borrows the
 * device.
 */
export class LateDevice implements BlockDevice {
  readonly sizeBytes: number;
  readonly #device: BlockDevice;
  readonly #held: readonly Held[];

  private constructor(device: BlockDevice, held: readonly Held[]) {
    this.#device = device;
    this.sizeBytes = device.sizeBytes;
    this.#held = held;
  }

  /** Erases the stretches, which do not overlap, durably. */
  static async over(device: BlockDevice, stretches: readonly Extent[]): Promise<LateDevice> {
    const held = stretches
      .map(({ startBytes, lengthBytes }) => {
        const end = Math.min(device.sizeBytes, startBytes + lengthBytes);
        return { start: startBytes, bytes: new Uint8Array(Math.max(0, end - startBytes)) };
      })
      .filter(({ bytes }) => bytes.length > 0)
      .toSorted((a, b) => a.start - b.start);
    for (const { start, bytes } of held) await device.write(start, bytes);
    await device.flush();
    return new LateDevice(device, held);
  }

  async read(at: number, into: Uint8Array): Promise<void> {
    for (const { from, length, held } of this.#pieces(at, into.length)) {
      const part = into.subarray(from - at, from - at + length);
      if (held === undefined) await this.#device.read(from, part);
      else part.set(held.bytes.subarray(from - held.start, from - held.start + length));
    }
  }

  async write(at: number, from: Uint8Array): Promise<void> {
    for (const { from: start, length, held } of this.#pieces(at, from.length)) {
      const part = from.subarray(start - at, start - at + length);
      if (held === undefined) await this.#device.write(start, part);
      else held.bytes.set(part, start - held.start);
    }
  }

  async zero(at: number, lengthBytes: number): Promise<void> {
    for (const { from, length, held } of this.#pieces(at, lengthBytes)) {
      if (held === undefined) await this.#device.zero(from, length);
      else held.bytes.fill(0, from - held.start, from - held.start + length);
    }
  }

  async flush(): Promise<void> {
    await this.#device.flush();
  }

  /** Puts what was kept onto the device, the first stretch last. */
  async release(): Promise<void> {
    await this.#device.flush();
    for (const { start, bytes } of this.#held.toReversed()) {
      await this.#device.write(start, bytes);
      await this.#device.flush();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  *#pieces(at: number, lengthBytes: number): Generator<Piece> {
    const end = at + lengthBytes;
    for (let from = at; from < end;) {
      const held = this.#held.find(({ start, bytes }) => from < start + bytes.length);
      const isIn = held !== undefined && held.start <= from;
      const until = held === undefined ? end : Math.min(end, isIn ? held.start + held.bytes.length : held.start);
      yield { from, length: until - from, held: isIn ? held : undefined };
      from = until;
    }
  }
}

interface Held {
  readonly start: number;
  readonly bytes: Uint8Array;
}

interface Piece {
  readonly from: number;
  readonly length: number;
  readonly held: Held | undefined;
}
