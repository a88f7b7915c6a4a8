import { Failure } from "../../base/index.ts";
import type { BlockReader } from "../../device/index.ts";
import { checksumCodes } from "./checksum.ts";
import type { ImageHead } from "./read-stream.ts";

/** Used blocks are counted beforehand up to every so many blocks. */
const countedBlocks = 32 * 1024;

/**
 * The file system in a partclone image whose bytes can be read anywhere, blocks that are not in it as zeros. Checksums
 * are not looked at. It owns the reader of the image.
 */
export class PartcloneReader implements BlockReader {
  readonly sizeBytes: number;
  readonly #image: BlockReader;
  readonly #head: ImageHead;
  /** How many used blocks there are before block n × `countedBlocks`. */
  readonly #usedBefore: Float64Array;

  constructor(image: BlockReader, head: ImageHead) {
    const { bitmap, description } = head;
    this.sizeBytes = description.deviceBytes;
    this.#image = image;
    this.#head = head;
    this.#usedBefore = new Float64Array(Math.floor(bitmap.length / countedBlocks) + 1);
    for (let n = 1; n < this.#usedBefore.length; n++) {
      const used = bitmap.countSet((n - 1) * countedBlocks, n * countedBlocks);
      this.#usedBefore[n] = (this.#usedBefore[n - 1] ?? 0) + used;
    }
  }

  async read(at: number, into: Uint8Array): Promise<void> {
    if (at < 0 || at + into.length > this.sizeBytes) {
      throw new Failure("damaged", `cannot reach byte ${at} of the image: it ends at ${this.sizeBytes}`);
    }
    const { bitmap, description } = this.#head;
    const { blockBytes, blockCount } = description;
    const end = at + into.length;
    for (let from = at; from < end;) {
      const block = Math.floor(from / blockBytes);
      const isUsed = block < blockCount && bitmap.has(block);
      const lastBlock = Math.min(Math.ceil(end / blockBytes), blockCount);
      const change = isUsed ? bitmap.nextClear(block, lastBlock) : bitmap.nextSet(block, lastBlock);
      const runEnd = change < 0 ? (isUsed ? Math.min(end, blockCount * blockBytes) : end) : change * blockBytes;
      const until = Math.min(end, runEnd);
      const part = into.subarray(from - at, until - at);
      if (isUsed) await this.#readUsed(from, part);
      else part.fill(0);
      from = until;
    }
  }

  /** Bytes of used blocks that follow one another: strip by strip, since checksums stand between them. */
  async #readUsed(at: number, into: Uint8Array): Promise<void> {
    const { description, lengthBytes, junkBytes } = this.#head;
    const { blockBytes, stripBlocks, checksum } = description;
    const gapBytes = checksumCodes[checksum].sizeBytes + junkBytes;
    const block = Math.floor(at / blockBytes);
    const start = this.#rank(block) * blockBytes + (at - block * blockBytes);
    const stripBytes = stripBlocks === 0 ? Infinity : stripBlocks * blockBytes;
    for (let done = 0; done < into.length;) {
      const position = start + done;
      const strip = stripBlocks === 0 ? 0 : Math.floor(position / stripBytes);
      const inStrip = stripBlocks === 0 ? position : position - strip * stripBytes;
      const count = Math.min(into.length - done, stripBytes - inStrip);
      await this.#image.read(lengthBytes + position + strip * gapBytes, into.subarray(done, done + count));
      done += count;
    }
  }

  /** How many used blocks there are before one. */
  #rank(block: number): number {
    const n = Math.floor(block / countedBlocks);
    return (this.#usedBefore[n] ?? 0) + this.#head.bitmap.countSet(n * countedBlocks, block);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#image[Symbol.asyncDispose]();
  }
}
