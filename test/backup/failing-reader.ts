import type { BlockReader } from "../../src/device/index.ts";

const sectorBytes = 512;

/** A device of which some sectors cannot be read, as Linux tells it. */
export class FailingReader implements BlockReader {
  readonly sizeBytes: number;
  readonly #inner: BlockReader;
  readonly #isBad: (sector: number) => boolean;

  /** Sectors are counted from the beginning of the disk, on which the reader begins so far in. */
  constructor(inner: BlockReader, isBad: (sector: number) => boolean, startBytes = 0) {
    this.sizeBytes = inner.sizeBytes;
    this.#inner = inner;
    this.#isBad = (sector) => isBad(sector + startBytes / sectorBytes);
  }

  async read(at: number, into: Uint8Array): Promise<void> {
    const end = Math.ceil((at + into.length) / sectorBytes);
    for (let sector = Math.floor(at / sectorBytes); sector < end; sector++) {
      if (!this.#isBad(sector)) continue;
      into.fill(0xdb); // what a device may leave of such a read
      throw Object.assign(new Error("EIO: i/o error, read"), { code: "EIO" });
    }
    await this.#inner.read(at, into);
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
