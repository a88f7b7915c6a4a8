import * as fs from "node:fs";
import { promisify } from "node:util";
import { Failure, isSystemError, libc, systemReason } from "../base/index.ts";
import { refuseOutside } from "./bounds.ts";
import type { BlockReader } from "./block-device.ts";

const readAsync = promisify(fs.read);
const writeAsync = promisify(fs.write);

const rereadPartitions = 0x125f; // BLKRRPART, linux/fs.h
const forgetCached = 0x1261; // BLKFLSBUF

/**
 * A real disk that nobody else has, read and written past the page cache where the system lets it be: what is read is
 * what is on it. Buffers then come from `alignedBuffer`, and places and lengths are multiples of its sectors.
 */
export class ExclusiveDisk implements BlockReader {
  readonly sizeBytes: number;
  readonly path: string;
  /** Reads come from the disk itself. */
  readonly isDirect: boolean;
  readonly #fd: number;

  private constructor(path: string, fd: number, { sizeBytes, isDirect }: { sizeBytes: number; isDirect: boolean }) {
    this.path = path;
    this.#fd = fd;
    this.sizeBytes = sizeBytes;
    this.isDirect = isDirect;
  }

  /** Throws `refused` where it is mounted or otherwise in use, whatever was known of that before. */
  static open(path: string, sizeBytes: number): ExclusiveDisk {
    const { O_RDWR, O_EXCL, O_DIRECT } = fs.constants;
    const canAlign = O_DIRECT !== undefined && libc() !== undefined;
    try {
      if (canAlign) {
        return new ExclusiveDisk(path, fs.openSync(path, O_RDWR | O_EXCL | O_DIRECT), { sizeBytes, isDirect: true });
      }
    } catch (error) {
      if (!isSystemError(error, "EINVAL")) throw whyNotOpened(path, error);
    }
    try {
      return new ExclusiveDisk(path, fs.openSync(path, O_RDWR | O_EXCL), { sizeBytes, isDirect: false });
    } catch (error) {
      throw whyNotOpened(path, error);
    }
  }

  async read(at: number, into: Uint8Array): Promise<void> {
    refuseOutside(this.path, this.sizeBytes, at, into.length);
    for (let done = 0; done < into.length;) {
      const { bytesRead } = await this.#naming("read", readAsync(this.#fd, into, done, into.length - done, at + done));
      if (bytesRead === 0) refuseOutside(this.path, at + done, at, into.length); // it was taken out
      done += bytesRead;
    }
  }

  async write(at: number, from: Uint8Array): Promise<void> {
    refuseOutside(this.path, this.sizeBytes, at, from.length);
    for (let done = 0; done < from.length;) {
      const writing = writeAsync(this.#fd, from, done, from.length - done, at + done);
      done += (await this.#naming("write", writing)).bytesWritten;
    }
  }

  /** Returns once everything written is on the disk, its own cache included. */
  async flush(): Promise<void> {
    await this.#naming("write", promisify(fs.fsync)(this.#fd));
  }

  /** What the page cache holds of it is forgotten; false where that cannot be asked for. */
  forgetCached(): boolean {
    return libc()?.ioctl(this.#fd, forgetCached) === 0;
  }

  /** Lets the kernel look at the new partition table; false where it does not. */
  rereadPartitions(): boolean {
    return libc()?.ioctl(this.#fd, rereadPartitions) === 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    fs.closeSync(this.#fd);
  }

  async #naming<T>(action: "read" | "write", work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      throw new Failure("failed", `cannot ${action} "${this.path}": ${systemReason(error)}`, {
        hint: "was it taken out? run the same command again; if that fails too, the device is worn out or broken",
        cause: error,
      });
    }
  }
}

function whyNotOpened(path: string, error: unknown): Failure {
  const action = `cannot write onto "${path}"`;
  if (isSystemError(error, "EBUSY")) {
    return new Failure("refused", `${action}: it is in use`, { hint: "unmount what is on it first", cause: error });
  }
  if (isSystemError(error, "EACCES", "EPERM")) {
    return new Failure("refused", `${action}: ${systemReason(error)}`, {
      hint: "real devices need root: run the same command with sudo",
      cause: error,
    });
  }
  return new Failure("failed", `${action}: ${systemReason(error)}`, { cause: error });
}
