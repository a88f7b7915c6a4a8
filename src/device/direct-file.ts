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
  #fd: number | undefined;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /** A second way to the file that `fd` is open on; undefined where there is none, as on tmpfs. */
  static over(fd: number): DirectFile | undefined {
    if (fs.constants.O_DIRECT === undefined) return undefined;
    try {
      return new DirectFile(fs.openSync(`/proc/self/fd/${fd}`, fs.constants.O_WRONLY | fs.constants.O_DIRECT));
    } catch {
      return undefined; // the page cache does as well, if slower
    }
  }

  /** Writes as much as can be written directly, from the start on; gives how much that was. */
  async write(at: number, from: Uint8Array): Promise<number> {
    const lengthBytes = from.length - (from.length % alignment);
    if (this.#fd === undefined || lengthBytes < leastBytes || at % alignment !== 0) return 0;
    if ((libc()?.addressOf(from) ?? 1n) % BigInt(alignment) !== 0n) return 0;
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
    if (this.#fd !== undefined) fs.closeSync(this.#fd);
    this.#fd = undefined;
  }
}
