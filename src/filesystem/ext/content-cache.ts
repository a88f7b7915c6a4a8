import type { BlockReader } from "../../device/index.ts";

const chunkBytes = 128 * 1024;
/** Chunks that nobody holds and that are kept for the neighbours of what was read. */
const keptChunks = 8;

interface Chunk {
  number: number;
  readonly buffer: Uint8Array;
  holders: number;
}

/** Bytes lent out: they stay as they are until they are given back. */
export interface Lent {
  readonly bytes: Uint8Array;
  giveBack(): void;
}

/**
 * Reads small files through chunks of their device, since neighbouring files are mostly wanted one after the
 * other. The buffers of chunks are used again and again: 100,000 files leave nothing for the garbage collector.
 */
export class ContentCache {
  readonly #reader: BlockReader;
  readonly #isChanging: boolean;
  readonly #chunks: Chunk[] = [];

  constructor(reader: BlockReader, options: { readonly isChanging: boolean }) {
    this.#reader = reader;
    this.#isChanging = options.isChanging;
  }

  /** Whether these bytes stand in one chunk, so that they can be lent. Nothing is kept of a device that changes. */
  canLend(at: number, lengthBytes: number): boolean {
    if (this.#isChanging) return false;
    const end = (Math.floor(at / chunkBytes) + 1) * chunkBytes;
    return at + lengthBytes <= end && at + lengthBytes <= this.#reader.sizeBytes;
  }

  async lend(at: number, lengthBytes: number): Promise<Lent> {
    const number = Math.floor(at / chunkBytes);
    const held = this.#chunks.find((one) => one.number === number);
    if (held !== undefined) held.holders++;
    const chunk = held ?? (await this.#read(number));
    const start = at - number * chunkBytes;
    return {
      bytes: chunk.buffer.subarray(start, start + lengthBytes),
      giveBack: () => {
        chunk.holders--;
      },
    };
  }

  /** A chunk from the device, held already. */
  async #read(number: number): Promise<Chunk> {
    const chunk = this.#takeFree();
    const at = number * chunkBytes;
    chunk.number = -1; // nobody finds it while it is being filled
    chunk.holders = 1;
    this.#chunks.push(chunk); // as the newest
    try {
      await this.#reader.read(at, chunk.buffer.subarray(0, Math.min(chunkBytes, this.#reader.sizeBytes - at)));
      chunk.number = number;
      return chunk;
    } catch (error) {
      chunk.holders = 0;
      throw error;
    }
  }

  /** The oldest chunk that nobody holds, taken out of the list, or a new one. */
  #takeFree(): Chunk {
    const free = this.#chunks.length < keptChunks ? -1 : this.#chunks.findIndex(({ holders }) => holders === 0);
    if (free < 0) return { number: -1, buffer: new Uint8Array(chunkBytes), holders: 0 };
    return this.#chunks.splice(free, 1)[0] ?? { number: -1, buffer: new Uint8Array(chunkBytes), holders: 0 };
  }
}
