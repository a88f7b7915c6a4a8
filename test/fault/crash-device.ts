import { MemoryDevice, type BlockDevice } from "../../src/device/index.ts";
import type { Dice } from "../filesystem/random-edits.ts";

interface Write {
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** How a state came about, for messages, and the bytes that a loss of power left, which are good until the next state. */
export interface CrashState {
  readonly how: string;
  readonly bytes: Uint8Array;
}

const sectorBytes = 512;

/**
 * A device in memory that remembers in which order it was written, so that every moment can be gone back to. What it
 * begins with is not to change meanwhile.
 */
export class CrashDevice extends MemoryDevice implements BlockDevice {
  readonly #before: Uint8Array;
  /** Of the last state: new memory for each would take longer than all else. */
  readonly #state: Uint8Array;
  /** The writes between two flushes. */
  readonly #epochs: Write[][] = [[]];

  constructor(bytes: Uint8Array) {
    super(Uint8Array.from(bytes));
    this.#before = bytes;
    this.#state = new Uint8Array(bytes.length);
  }

  get writeCount(): number {
    return this.#epochs.reduce((sum, epoch) => sum + epoch.length, 0);
  }

  override async write(at: number, from: Uint8Array): Promise<void> {
    await super.write(at, from);
    this.#epochs.at(-1)?.push({ at, bytes: Uint8Array.from(from) });
  }

  override async zero(at: number, lengthBytes: number): Promise<void> {
    await this.write(at, new Uint8Array(lengthBytes));
  }

  override async flush(): Promise<void> {
    this.#epochs.push([]);
  }

  /** What is left after the first `count` writes, the last of them cut off at a sector where `tornSectors` says so. */
  after(count: number, tornSectors?: number): CrashState {
    const bytes = this.#asBefore();
    const writes = this.#epochs.flat().slice(0, count);
    for (const [n, write] of writes.entries()) {
      const isTorn = tornSectors !== undefined && n === count - 1;
      bytes.set(isTorn ? write.bytes.subarray(0, tornSectors * sectorBytes) : write.bytes, write.at);
    }
    const torn = tornSectors === undefined ? "" : `, the last torn after ${tornSectors} sectors`;
    return { how: `after ${count} of ${this.writeCount} writes${torn}`, bytes };
  }

  /** The same with the writes since the last flush before it in part only, as a disk with a cache may leave them. */
  reordered(count: number, isDone: () => boolean): CrashState {
    const bytes = this.#asBefore();
    let left = count;
    const kept: number[] = [];
    for (const epoch of this.#epochs) {
      const isLast = left <= epoch.length;
      for (const [n, write] of epoch.entries()) {
        if (isLast && !isDone()) continue;
        if (isLast) kept.push(count - left + n);
        bytes.set(write.bytes, write.at);
      }
      if (isLast) break;
      left -= epoch.length;
    }
    return { how: `of the writes since the last flush only ${kept.join(", ")} of ${this.writeCount}`, bytes };
  }

  #asBefore(): Uint8Array {
    this.#state.set(this.#before);
    return this.#state;
  }

  /** How many sectors the write with this number has. */
  sectorsOf(number: number): number {
    return Math.floor((this.#epochs.flat()[number - 1]?.bytes.length ?? 0) / sectorBytes);
  }
}

/** About so many moments at which power might fail, all over the work and at its end: whole writes, torn ones, reordered ones. */
export function* moments(device: CrashDevice, dice: Dice, momentCount: number): Generator<CrashState> {
  const { writeCount } = device;
  const every = Math.max(1, writeCount / momentCount);
  for (let n = dice.below(Math.ceil(every)); n <= writeCount; n += every) {
    const count = Math.floor(n);
    yield device.after(count);
    if (count === 0) continue;
    yield device.after(count, dice.below(1 + device.sectorsOf(count)));
    yield device.reordered(count, () => dice.below(2) === 0);
  }
  yield device.after(writeCount);
}
