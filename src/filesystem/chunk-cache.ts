import { readBytes, type BlockReader } from "../device/index.ts";

/**
 * Reads a device in aligned chunks and keeps the last ones used. For structures, of which many small ones stand
 * side by side, and for small files, whose neighbours are wanted next.
 */
export class ChunkCache {
  readonly #reader: BlockReader;
  readonly #chunkBytes: number;
  readonly #chunkLimit: number;
  readonly #chunks = new Map<number, Uint8Array>();
  #lastNumber = -1;
  #lastChunk: Uint8Array = new Uint8Array(0);

  constructor(reader: BlockReader, size: { readonly chunkBytes: number; readonly chunkLimit: number }) {
    this.#reader = reader;
    this.#chunkBytes = size.chunkBytes;
    this.#chunkLimit = size.chunkLimit;
  }

  /** These bytes of the device. They may be shared with others: look, do not write. */
  async bytes(at: number, lengthBytes: number): Promise<Uint8Array> {
    const number = Math.floor(at / this.#chunkBytes);
    const inChunk = at - number * this.#chunkBytes;
    const chunk = number === this.#lastNumber ? this.#lastChunk : await this.#chunk(number);
    if (inChunk + lengthBytes <= chunk.length) return chunk.subarray(inChunk, inChunk + lengthBytes);
    return readBytes(this.#reader, at, lengthBytes); // across a border, or past the end: the reader says so
  }

  async #chunk(number: number): Promise<Uint8Array> {
    let chunk = this.#chunks.get(number);
    if (chunk === undefined) {
      const at = number * this.#chunkBytes;
      chunk = await readBytes(this.#reader, at, Math.max(0, Math.min(this.#chunkBytes, this.#reader.sizeBytes - at)));
      if (this.#chunks.size >= this.#chunkLimit) this.#dropOldest();
    } else {
      this.#chunks.delete(number); // and in again, as the newest
    }
    this.#chunks.set(number, chunk);
    this.#lastNumber = number;
    this.#lastChunk = chunk;
    return chunk;
  }

  #dropOldest(): void {
    for (const oldest of this.#chunks.keys()) {
      this.#chunks.delete(oldest);
      return;
    }
  }
}
