import { MemoryDevice, type BlockDevice } from "../../src/device/index.ts";

interface Write {
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** How a state came about, for messages, and the bytes that a loss of power left. */
export interface CrashState {
  readonly how: string;
  readonly bytes: Uint8Array;
}

const sectorBytes = 512;

/** A device in memory that remembers in which order it was written, so that every moment can be gone back to. */
export class CrashDevice extends MemoryDevice implements BlockDevice {
  readonly #before: Uint8Array;
  /** The writes between two flushes. */
  readonly #epochs: Write[][] = [[]];

  constructor(bytes: Uint8Array) {
    super(Uint8Array.from(bytes));
    this.#before = Uint8Array.from(bytes);
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
    const bytes = Uint8Array.from(this.#before);
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
    const bytes = Uint8Array.from(this.#before);
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

  /** How many sectors the write with this number has. */
  sectorsOf(number: number): number {
    return Math.floor((this.#epochs.flat()[number - 1]?.bytes.length ?? 0) / sectorBytes);
  }
}
