import * as fs from "node:fs";
import { promisify } from "node:util";
import { isSystemError } from "../base/index.ts";
import { alignedBuffer, openDirect } from "./direct-file.ts";

const readAsync = promisify(fs.read);
const sectorBytes = 512;
const bufferBytes = 4096;

/**
 * Sectors read from the device itself (open(2), O_DIRECT): the page cache reads in larger pieces, all of which fail with
 * one of their sectors.
 */
export class DirectSectors {
  readonly #cachedFd: number;
  /** Undefined until it is needed, null where direct reads are not to be had. */
  #fd: number | null | undefined;

  /** A second way to the device that `cachedFd` is open on. */
  constructor(cachedFd: number) {
    this.#cachedFd = cachedFd;
  }

  /** Reads a part of one sector; false where that cannot be done directly. */
  async read(at: number, into: Uint8Array): Promise<boolean> {
    const start = at - (at % sectorBytes);
    if (at + into.length > start + sectorBytes) return false;
    if (this.#fd === undefined) this.#fd = openDirect(this.#cachedFd, fs.constants.O_RDONLY);
    if (this.#fd === null) return false;
    const buffer = alignedBuffer(bufferBytes);
    try {
      const { bytesRead } = await readAsync(this.#fd, buffer, 0, sectorBytes, start);
      if (bytesRead < at - start + into.length) return false;
    } catch (error) {
      if (!isSystemError(error, "EINVAL", "ENOTSUP", "EOPNOTSUPP")) throw error;
      return false; // its sectors are larger, or it will not have this
    }
    into.set(buffer.subarray(at - start, at - start + into.length));
    return true;
  }

  close(): void {
    if (typeof this.#fd === "number") fs.closeSync(this.#fd);
    this.#fd = null;
  }
}
