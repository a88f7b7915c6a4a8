import { Failure } from "../../base/index.ts";
import type { BlockDevice } from "../../device/index.ts";
import type { Timestamp } from "../../tree/index.ts";
import { featureWords } from "./features.ts";
import type { JournalWriter } from "./journal-writer.ts";
import { stateClean, superblock, superblockAt } from "./superblock.ts";
import type { SuperblockWriter } from "./superblock-writer.ts";
import { changeStages, type Transaction } from "./transaction.ts";

/** Neighbouring blocks are written together, up to so much at once. */
const stretchBytes = 1024 * 1024;
const needsRecovery = featureWords(["needs_recovery"]).incompatible;

/** Makes transactions durable: through the journal where there is one, else in an order that loses nothing. */
export class Committer {
  readonly #transaction: Transaction;
  readonly #superblock: SuperblockWriter;
  readonly #journal: JournalWriter | undefined;

  constructor(transaction: Transaction, superblockWriter: SuperblockWriter, journal: JournalWriter | undefined) {
    this.#transaction = transaction;
    this.#superblock = superblockWriter;
    this.#journal = journal;
  }

  /**
   * Writes what the transaction holds. Cut off at any write, the file system is afterwards as before or as after
   * once its journal is replayed; without a journal new files and names may be missing, and `e2fsck` is needed.
   * Throws `no-space` before anything is written where the journal is too small for it.
   */
  async commit(now: Timestamp): Promise<void> {
    const { changed } = this.#transaction;
    if (changed.size === 0) return;
    if (this.#journal === undefined) await this.#commitInOrder();
    else await this.#commitThrough(this.#journal, now);
    this.#transaction.settle();
  }

  /** Makes the superblock in the transaction what a commit would write, for whoever looks at it before. */
  async seal(): Promise<void> {
    if (this.#transaction.changed.size > 0) this.#superblock.seal(await this.#newSuperblock());
  }

  async #commitThrough(journal: JournalWriter, now: Timestamp): Promise<void> {
    const { device, changed, fresh } = this.#transaction;
    const after = await this.#newSuperblock();
    if (changed.size > journal.capacityBlocks) throw tooLargeForJournal(changed.size, journal.capacityBlocks);
    const mark = (bytes: Uint8Array, isSet: boolean): Uint8Array => {
      const incompatible = superblock.get(bytes, "incompatible");
      const marked = isSet ? incompatible | needsRecovery : incompatible & ~needsRecovery;
      superblock.patch(bytes, { incompatible: marked >>> 0 });
      this.#superblock.seal(bytes);
      return bytes;
    };
    await this.#superblock.write(mark(Uint8Array.from(this.#superblock.onDevice), true));
    mark(after, true);
    await this.#writeBlocks(fresh);
    await journal.write(changed, now);
    await device.flush();
    await journal.open();
    await device.flush(); // from here on the change is made
    await this.#writeBlocks(changed);
    await this.#superblock.write(after);
    await device.flush();
    await journal.close();
    await device.flush();
    await this.#superblock.write(mark(after, false));
    await device.flush();
  }

  /** The file system counts as not clean meanwhile. First what adds, then what takes names away, then what deletes. */
  async #commitInOrder(): Promise<void> {
    const { device, changed, fresh } = this.#transaction;
    const after = await this.#newSuperblock();
    const mark = (bytes: Uint8Array, isClean: boolean): Uint8Array => {
      const state = superblock.get(bytes, "state");
      superblock.patch(bytes, { state: isClean ? state | stateClean : state & ~stateClean });
      this.#superblock.seal(bytes);
      return bytes;
    };
    const isClean = (superblock.get(after, "state") & stateClean) !== 0;
    await this.#superblock.write(mark(Uint8Array.from(this.#superblock.onDevice), false));
    await this.#writeBlocks(fresh);
    await device.flush();
    for (const stage of changeStages) {
      const part = [...changed].filter(([number]) => this.#transaction.stageOf(number) === stage);
      await this.#writeBlocks(new Map(part));
      if (stage === "addition") await this.#superblock.write(mark(after, false));
      await device.flush();
    }
    await this.#superblock.write(mark(after, isClean));
    await device.flush();
  }

  /** The superblock as it will be, within its block in the transaction. */
  async #newSuperblock(): Promise<Uint8Array> {
    const { blockSizeBytes } = this.#transaction;
    const block = await this.#transaction.change(this.#superblockBlock);
    const at = superblockAt % blockSizeBytes;
    return block.subarray(at, at + superblock.sizeBytes);
  }

  get #superblockBlock(): number {
    return Math.floor(superblockAt / this.#transaction.blockSizeBytes);
  }

  /** Writes blocks where they belong, but for the one with the superblock, which is written by itself. */
  async #writeBlocks(blocks: ReadonlyMap<number, Uint8Array>): Promise<void> {
    const numbers = [...blocks.keys()].filter((number) => number !== this.#superblockBlock).sort((a, b) => a - b);
    await writeStretches(this.#transaction.device, this.#transaction.blockSizeBytes, numbers, blocks);
  }
}

/** Writes blocks in ascending order, neighbours together. */
export async function writeStretches(
  device: BlockDevice,
  blockSizeBytes: number,
  numbers: readonly number[],
  blocks: ReadonlyMap<number, Uint8Array>,
): Promise<void> {
  const perStretch = stretchBytes / blockSizeBytes;
  for (let first = 0; first < numbers.length;) {
    const start = numbers[first] ?? 0;
    let count = 1;
    while (count < perStretch && numbers[first + count] === start + count) count++;
    const bytes = new Uint8Array(count * blockSizeBytes);
    for (let n = 0; n < count; n++) bytes.set(blocks.get(start + n) ?? [], n * blockSizeBytes);
    await device.write(start * blockSizeBytes, bytes);
    first += count;
  }
}

function tooLargeForJournal(neededBlocks: number, capacityBlocks: number): Failure {
  return new Failure(
    "no-space",
    `cannot make all changes as one: they change ${neededBlocks} blocks of structures, the journal has room for ${capacityBlocks}`,
    { hint: "make them in several smaller parts" },
  );
}
