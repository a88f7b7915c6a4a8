import * as fs from "node:fs";
import { promisify } from "node:util";
import { isSystemError, libc } from "../base/index.ts";

const writeAsync = promisify(fs.write);

/** What direct writes are aligned to: in the file, in length and in memory. */
const alignment = 4096;
/** Smaller writes are better left to the page cache, which joins them. */
const leastBytes = 256 * 1024;

/** A new buffer that begins at a multiple of 4096 in memory, where that can be found out. */
export function alignedBuffer(lengthBytes: number): Uint8Array {
  const roomy = new Uint8Array(lengthBytes + alignment);
  const address = libc()?.addressOf(roomy) ?? 0n;
  const start = (alignment - Number(address % BigInt(alignment))) % alignment;
  return roomy.subarray(start, start + lengthBytes);
}

/**
 * Large writes past the page cache (open(2), O_DIRECT). A file that is flushed at its end has to reach the disk anyway:
 * written directly it does so while the next part is made, and takes no memory from others.
 */
export class DirectFile {
  readonly #cachedFd: number;
  /** Undefined until something large is written, null where direct writes are not to be had, as on tmpfs. */
  #fd: number | null | undefined;

  /** A second way to the file that `cachedFd` is open on. */
  constructor(cachedFd: number) {
    this.#cachedFd = cachedFd;
  }

  /** Writes as much as can be written directly, from the start on; gives how much that was. */
  async write(at: number, from: Uint8Array): Promise<number> {
    const lengthBytes = from.length - (from.length % alignment);
    if (lengthBytes < leastBytes || at % alignment !== 0) return 0;
    if ((libc()?.addressOf(from) ?? 1n) % BigInt(alignment) !== 0n) return 0;
    if (this.#fd === undefined) this.#fd = openDirect(this.#cachedFd, fs.constants.O_WRONLY);
    if (this.#fd === null) return 0;
    try {
      let done = 0;
      while (done < lengthBytes) {
        const { bytesWritten } = await writeAsync(this.#fd, from, done, lengthBytes - done, at + done);
        done += bytesWritten;
        if (bytesWritten % alignment !== 0) return done;
      }
      return done;
    } catch (error) {
      if (!isSystemError(error, "EINVAL", "ENOTSUP", "EOPNOTSUPP")) throw error;
      this.close(); // this file system will not have it
      return 0;
    }
  }

  close(): void {
    if (typeof this.#fd === "number") fs.closeSync(this.#fd);
    this.#fd = null;
  }
}

/** The file of a descriptor, opened past the page cache; null where that is not to be had. */
export function openDirect(cachedFd: number, access: number): number | null {
  if (fs.constants.O_DIRECT === undefined) return null;
  try {
    return fs.openSync(`/proc/self/fd/${cachedFd}`, access | fs.constants.O_DIRECT);
  } catch {
    return null; // the page cache does as well, if slower
  }
}
