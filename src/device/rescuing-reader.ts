import { Failure, isSystemError } from "../base/index.ts";
import type { BlockReader } from "./block-device.ts";
import type { Unreadable } from "./unreadable.ts";

export interface RescueOptions {
  /** Where what cannot be read is kept, by its place on the disk. */
  readonly unreadable: Unreadable;
  /** Where the reader begins on the disk. */
  readonly startBytes: number;
  /** How often a sector that failed is read again. */
  readonly retries: number;
  /** Called when a read has failed, before less is tried; what it throws ends the reading. */
  readonly onFailed?: () => Promise<unknown>;
  /** Reads a part of one sector, past what is read of the device in larger pieces. */
  readonly readSector?: (at: number, into: Uint8Array) => Promise<void>;
}

const sectorBytes = 512;
/** With more than this the device is not damaged, but dying, or was taken out. */
export const unreadableLimitBytes = 256 * 1024 * 1024;
/** What the kernel says of a sector that the device cannot give. */
const mediumErrors = ["EIO", "ENODATA", "EREMOTEIO", "EILSEQ", "ETIMEDOUT"] as const;

/**
 * A reader over one of which some sectors cannot be read: they come as zeros, and are remembered. A read that fails is
 * split down to sectors, so that no more is lost than that.
 */
export class RescuingReader implements BlockReader {
  readonly sizeBytes: number;
  readonly #inner: BlockReader;
  readonly #options: RescueOptions;

  constructor(inner: BlockReader, options: RescueOptions) {
    this.sizeBytes = inner.sizeBytes;
    this.#inner = inner;
    this.#options = options;
  }

  async read(at: number, into: Uint8Array): Promise<void> {
    const { unreadable, startBytes } = this.#options;
    const known = unreadable.within(startBytes + at, into.length);
    if (known.length === 0) return this.#attempt(at, into);
    let done = 0;
    for (const stretch of known) {
      const from = stretch.startBytes - startBytes - at;
      if (from > done) await this.#attempt(at + done, into.subarray(done, from));
      done = from + stretch.lengthBytes;
      into.fill(0, from, done);
    }
    if (done < into.length) await this.#attempt(at + done, into.subarray(done));
  }

  async #attempt(at: number, into: Uint8Array): Promise<void> {
    const error = await this.#failing(at, into);
    if (error === undefined) return;
    await this.#options.onFailed?.();
    await this.#split(at, into, error);
  }

  /** The error of a read that a device cannot give. */
  async #failing(at: number, into: Uint8Array): Promise<unknown> {
    try {
      await this.#inner.read(at, into);
      return undefined;
    } catch (error) {
      if (!isSystemError(error, ...mediumErrors)) throw error;
      return error;
    }
  }

  async #split(at: number, into: Uint8Array, error: unknown): Promise<void> {
    const sector = Math.floor(at / sectorBytes);
    const sectors = Math.ceil((at + into.length) / sectorBytes) - sector;
    if (sectors === 1) return this.#retry(at, into, error);
    const half = (sector + Math.floor(sectors / 2)) * sectorBytes - at;
    for (const [from, to] of [
      [0, half],
      [half, into.length],
    ] as const) {
      const piece = into.subarray(from, to);
      const failed = await this.#failing(at + from, piece);
      if (failed !== undefined) await this.#split(at + from, piece, failed);
    }
  }

  async #retry(at: number, into: Uint8Array, error: unknown): Promise<void> {
    const { retries, unreadable, startBytes, readSector } = this.#options;
    for (let n = 0; n < retries; n++) {
      try {
        return await (readSector === undefined ? this.#inner.read(at, into) : readSector(at, into));
      } catch (again) {
        if (!isSystemError(again, ...mediumErrors)) throw again;
      }
    }
    into.fill(0);
    const sector = Math.floor(at / sectorBytes) * sectorBytes;
    unreadable.add({ startBytes: startBytes + sector, lengthBytes: sectorBytes });
    if (unreadable.totalBytes <= unreadableLimitBytes) return;
    throw new Failure("failed", `more than ${unreadableLimitBytes} bytes of it cannot be read`, {
      hint: "was the device taken out? GNU ddrescue gets more off one that is dying: save the image that it makes",
      cause: error,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inner[Symbol.asyncDispose]();
  }
}
