import { readBytes, type BlockDevice, type BlockReader } from "../../device/index.ts";

/** How much of what was only read is kept. */
const keptBytes = 16 * 1024 * 1024;

/** What a change does, in the order in which changes reach a file system without a journal: so nothing is ever lost. */
export const changeStages = ["addition", "unlinking", "deletion"] as const;
export type ChangeStage = (typeof changeStages)[number];

/**
 * The blocks of a file system that are about to change, held in memory: as a reader it shows them as they will be.
 * Nothing of it is written before a commit writes it, as one.
 */
export class Transaction implements BlockReader {
  readonly device: BlockDevice;
  readonly blockSizeBytes: number;
  readonly sizeBytes: number;
  readonly #read = new Map<number, Uint8Array>();
  readonly #changed = new Map<number, Uint8Array>();
  readonly #fresh = new Map<number, Uint8Array>();
  readonly #stages = new Map<number, ChangeStage>();

  constructor(device: BlockDevice, blockSizeBytes: number) {
    this.device = device;
    this.blockSizeBytes = blockSizeBytes;
    this.sizeBytes = device.sizeBytes;
  }

  /** Blocks that something refers to already: they change with the commit, all or none. */
  get changed(): ReadonlyMap<number, Uint8Array> {
    return this.#changed;
  }

  /** Blocks that nothing refers to before the commit: they may be written at any time before it. */
  get fresh(): ReadonlyMap<number, Uint8Array> {
    return this.#fresh;
  }

  /** When a changed block is to be written where there is no journal. */
  stageOf(number: number): ChangeStage {
    return this.#stages.get(number) ?? "addition";
  }

  /** A block as it will be. Its buffer is the transaction's: look, do not write. */
  async block(number: number): Promise<Uint8Array> {
    const held = this.#changed.get(number) ?? this.#fresh.get(number) ?? this.#read.get(number);
    if (held !== undefined) return held;
    const bytes = await readBytes(this.device, number * this.blockSizeBytes, this.blockSizeBytes);
    this.#keep(number, bytes);
    return bytes;
  }

  /** A block to be changed in place. */
  async change(number: number, stage: ChangeStage = "addition"): Promise<Uint8Array> {
    const bytes = await this.block(number);
    if (this.#fresh.has(number)) return bytes;
    this.#read.delete(number);
    this.#changed.set(number, bytes);
    if (changeStages.indexOf(stage) > changeStages.indexOf(this.stageOf(number))) this.#stages.set(number, stage);
    return bytes;
  }

  /** Takes a block over that nothing refers to yet; gives its buffer, all zeros. */
  freshBlock(number: number): Uint8Array {
    const bytes = new Uint8Array(this.blockSizeBytes);
    this.forget(number, 1);
    this.#fresh.set(number, bytes);
    return bytes;
  }

  /** Says that what stands in these blocks no longer matters, or was written past the transaction. */
  forget(start: number, count: number): void {
    const end = start + count;
    for (const held of [this.#read, this.#changed, this.#fresh, this.#stages]) {
      if (count > held.size) {
        for (const number of held.keys()) if (number >= start && number < end) held.delete(number);
      } else {
        for (let number = start; number < end; number++) held.delete(number);
      }
    }
  }

  /** These bytes of the device as they will be. They may be shared with others: look, do not write. */
  async bytes(at: number, lengthBytes: number): Promise<Uint8Array> {
    const number = Math.floor(at / this.blockSizeBytes);
    const inBlock = at - number * this.blockSizeBytes;
    if (inBlock + lengthBytes > this.blockSizeBytes) return readBytes(this, at, lengthBytes);
    return (await this.block(number)).subarray(inBlock, inBlock + lengthBytes);
  }

  async read(at: number, into: Uint8Array): Promise<void> {
    await this.device.read(at, into);
    if (this.#changed.size === 0 && this.#fresh.size === 0) return;
    const { blockSizeBytes } = this;
    const end = at + into.length;
    for (let number = Math.floor(at / blockSizeBytes); number * blockSizeBytes < end; number++) {
      const held = this.#changed.get(number) ?? this.#fresh.get(number);
      if (held === undefined) continue;
      const blockAt = number * blockSizeBytes;
      const from = Math.max(at, blockAt);
      into.set(held.subarray(from - blockAt, Math.min(end - blockAt, blockSizeBytes)), from - at);
    }
  }

  /** What was to change has been written. */
  settle(): void {
    for (const held of [this.#changed, this.#fresh]) {
      for (const [number, bytes] of held) this.#keep(number, bytes);
      held.clear();
    }
    this.#stages.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #keep(number: number, bytes: Uint8Array): void {
    if (this.#read.size * this.blockSizeBytes >= keptBytes) {
      for (const oldest of this.#read.keys()) {
        this.#read.delete(oldest);
        break;
      }
    }
    this.#read.set(number, bytes);
  }
}
