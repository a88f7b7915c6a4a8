import type { BlockReader } from "../../device/index.ts";
import { journalMagic } from "./journal-format.ts";

/** Where the journal holds the newest copy of a block. */
export interface JournalledBlock {
  /** On the device, in bytes. */
  readonly at: number;
  /** The block starts with the journal's signature, which there stands as zeros. */
  readonly isEscaped: boolean;
}

/**
 * A device as it would be after its journal was replayed: blocks that the journal holds are read from there.
 * Nothing is copied, so a large journal takes little memory. It borrows the reader under it.
 */
export class ReplayedReader implements BlockReader {
  readonly sizeBytes: number;
  readonly #under: BlockReader;
  readonly #blockSizeBytes: number;
  readonly #blocks: ReadonlyMap<number, JournalledBlock>;

  constructor(under: BlockReader, blockSizeBytes: number, blocks: ReadonlyMap<number, JournalledBlock>) {
    this.#under = under;
    this.sizeBytes = under.sizeBytes;
    this.#blockSizeBytes = blockSizeBytes;
    this.#blocks = blocks;
  }

  async read(at: number, into: Uint8Array): Promise<void> {
    await this.#under.read(at, into);
    const first = Math.floor(at / this.#blockSizeBytes);
    const last = Math.floor((at + into.length - 1) / this.#blockSizeBytes);
    for (let block = first; block <= last; block++) {
      const held = this.#blocks.get(block);
      if (held !== undefined) await this.#replace(block, held, at, into);
    }
  }

  async #replace(block: number, held: JournalledBlock, at: number, into: Uint8Array): Promise<void> {
    const bytes = new Uint8Array(this.#blockSizeBytes);
    await this.#under.read(held.at, bytes);
    if (held.isEscaped) new DataView(bytes.buffer).setUint32(0, journalMagic);
    const blockAt = block * this.#blockSizeBytes;
    const from = Math.max(at, blockAt);
    const to = Math.min(at + into.length, blockAt + this.#blockSizeBytes);
    into.set(bytes.subarray(from - blockAt, to - blockAt), from - at);
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
