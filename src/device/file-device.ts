import * as fs from "node:fs";
import * as path from "node:path";
import { promisify } from "node:util";
import { Failure, isSystemError, libc, systemReason } from "../base/index.ts";
import { Bitmap } from "../bytes/index.ts";
import type { BlockDevice, BlockReader } from "./block-device.ts";
import { refuseOutside } from "./bounds.ts";
import { deviceNumber } from "./device-number.ts";
import { DirectFile } from "./direct-file.ts";
import { DirectSectors } from "./direct-sectors.ts";
import { loopDeviceOf } from "./loop-device.ts";

const readAsync = promisify(fs.read);
const writeAsync = promisify(fs.write);

/** Up to this size one synchronous call is cheaper than a trip through Node's thread pool. */
const smallAccessBytes = 128 * 1024;
/** The grain in which a fresh file remembers what was written to it. */
const touchedGrainBytes = 1024 * 1024;
const forgetCached = 0x1261; // BLKFLSBUF, linux/fs.h
const rereadPartitions = 0x125f; // BLKRRPART
const zeros = new Uint8Array(1024 * 1024);

/** A file or a block device of the system, read-only. */
export class FileReader implements BlockReader {
  readonly path: string;
  protected readonly fd: number;
  readonly #ownsFd: boolean;
  readonly #sectors: DirectSectors;
  #sizeBytes: number;

  protected constructor(filePath: string, fd: number, sizeBytes: number, ownsFd: boolean) {
    this.path = filePath;
    this.fd = fd;
    this.#sizeBytes = sizeBytes;
    this.#ownsFd = ownsFd;
    this.#sectors = new DirectSectors(fd);
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  protected set sizeBytes(sizeBytes: number) {
    this.#sizeBytes = sizeBytes;
  }

  /** Opens a file or block device for reading only. */
  static async open(filePath: string): Promise<FileReader> {
    const { fd, sizeBytes } = openSized(filePath, "r");
    return new FileReader(filePath, fd, sizeBytes, true);
  }

  /**
   * Opens for reading what nobody may be changing meanwhile. Throws `refused` where another program has the file
   * locked, as QEMU has the disks of a running machine, where the kernel shows it as a loop device, and where a device
   * is mounted or otherwise in use.
   */
  static async openAtRest(filePath: string): Promise<FileReader> {
    const { fd, sizeBytes } = openSized(filePath, fs.constants.O_RDONLY | fs.constants.O_EXCL, "read");
    try {
      if (libc()?.isLocked(fd) === true) throw lockedFailure("read", filePath);
      refuseLoop("read", filePath, fd);
    } catch (error) {
      fs.closeSync(fd);
      throw error;
    }
    return new FileReader(filePath, fd, sizeBytes, true);
  }

  async read(at: number, into: Uint8Array): Promise<void> {
    refuseOutside(this.path, this.sizeBytes, at, into.length);
    for (let done = 0; done < into.length;) {
      const rest = into.length - done;
      const count =
        rest <= smallAccessBytes
          ? fs.readSync(this.fd, into, done, rest, at + done)
          : (await readAsync(this.fd, into, done, rest, at + done)).bytesRead;
      if (count === 0) refuseOutside(this.path, at + done, at, into.length); // shortened while open
      done += count;
    }
  }

  /** Reads a part of one sector from the device itself, where the system lets it be. */
  async readSector(at: number, into: Uint8Array): Promise<void> {
    if (!(await this.#sectors.read(at, into))) await this.read(at, into);
  }

  /** What the page cache holds of a block device is read anew from now on, where the system lets it be. */
  forgetCached(): void {
    libc()?.ioctl(this.fd, forgetCached);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#sectors.close();
    if (this.#ownsFd) fs.closeSync(this.fd);
  }
}

/** A file or a block device of the system, read and written. */
export class FileDevice extends FileReader implements BlockDevice {
  /** Set for a file that this program has just made: which grains are not known to be zero. */
  readonly #touched: Bitmap | undefined;
  readonly #direct: DirectFile;

  private constructor(filePath: string, fd: number, sizeBytes: number, ownsFd: boolean, isFresh: boolean) {
    super(filePath, fd, sizeBytes, ownsFd);
    this.#touched = isFresh ? new Bitmap(Math.ceil(sizeBytes / touchedGrainBytes)) : undefined;
    this.#direct = new DirectFile(fd);
  }

  /** Opens an existing file or block device for reading and writing. */
  static override async open(filePath: string): Promise<FileDevice> {
    const { fd, sizeBytes } = openSized(filePath, "r+");
    return new FileDevice(filePath, fd, sizeBytes, true, false);
  }

  /**
   * Opens an existing file or block device for changes that nobody else may be making meanwhile. Throws `refused`
   * where another program has the file locked, as QEMU has the disks of a running machine, where the kernel shows it
   * as a loop device, and where a device is mounted or otherwise in use.
   */
  static async openExclusively(filePath: string): Promise<FileDevice> {
    const { fd, sizeBytes } = openSized(filePath, fs.constants.O_RDWR | fs.constants.O_EXCL);
    try {
      refuseShared(filePath, fd);
    } catch (error) {
      fs.closeSync(fd);
      throw error;
    }
    return new FileDevice(filePath, fd, sizeBytes, true, false);
  }

  /**
   * Sets the size of a new empty file and uses it as a device. `fd` stays the caller's to close, after the
   * device. The file is sparse, large writes go to the disk directly, and zeroing what was never written costs nothing; with `preallocate` its space is reserved.
   */
  static overNewFile(
    filePath: string,
    fd: number,
    sizeBytes: number,
    options: { readonly preallocate?: boolean } = {},
  ): FileDevice {
    try {
      fs.ftruncateSync(fd, sizeBytes);
    } catch (error) {
      throw new Failure("no-space", `cannot create "${filePath}": ${systemReason(error)} at ${sizeBytes} bytes`, {
        cause: error,
      });
    }
    if (options.preallocate === true && sizeBytes > 0 && libc()?.preallocate(fd, 0, sizeBytes) !== true) {
      throw new Failure("no-space", `cannot reserve ${sizeBytes} bytes for "${filePath}": no space is left`, {
        hint: "free some space, or leave out --preallocate to make a sparse file",
      });
    }
    return new FileDevice(filePath, fd, sizeBytes, false, true);
  }

  async write(at: number, from: Uint8Array): Promise<void> {
    refuseOutside(this.path, this.sizeBytes, at, from.length);
    if (from.length === 0) return;
    this.#touch(at, from.length);
    try {
      for (let done = await this.#direct.write(at, from); done < from.length;) {
        const rest = from.length - done;
        done +=
          rest <= smallAccessBytes
            ? fs.writeSync(this.fd, from, done, rest, at + done)
            : (await writeAsync(this.fd, from, done, rest, at + done)).bytesWritten;
      }
    } catch (error) {
      const code = isSystemError(error, "ENOSPC", "EDQUOT", "EFBIG") ? "no-space" : "failed";
      throw new Failure(code, `cannot write "${this.path}": ${systemReason(error)}`, { cause: error });
    }
  }

  async zero(at: number, lengthBytes: number): Promise<void> {
    refuseOutside(this.path, this.sizeBytes, at, lengthBytes);
    const end = at + lengthBytes;
    if (this.#touched === undefined) return this.#writeZeros(at, end);
    const grainEnd = Math.ceil(end / touchedGrainBytes);
    let grain = Math.floor(at / touchedGrainBytes);
    for (
      grain = this.#touched.nextSet(grain, grainEnd);
      grain >= 0;
      grain = this.#touched.nextSet(grain + 1, grainEnd)
    ) {
      const start = grain * touchedGrainBytes;
      await this.#writeZeros(Math.max(at, start), Math.min(end, start + touchedGrainBytes));
    }
  }

  async #writeZeros(start: number, end: number): Promise<void> {
    for (let at = start; at < end; at += zeros.length)
      await this.write(at, zeros.subarray(0, Math.min(zeros.length, end - at)));
  }

  async flush(): Promise<void> {
    fs.fsyncSync(this.fd);
  }

  /** Makes an existing file longer, by zeros that take no space, or cuts it off. Durable once it returns. */
  async setSize(sizeBytes: number): Promise<void> {
    try {
      fs.ftruncateSync(this.fd, sizeBytes);
      fs.fsyncSync(this.fd);
    } catch (error) {
      const code = isSystemError(error, "ENOSPC", "EDQUOT", "EFBIG") ? "no-space" : "failed";
      const action = sizeBytes > this.sizeBytes ? "grow" : "shrink";
      throw new Failure(code, `cannot ${action} "${this.path}": ${systemReason(error)} at ${sizeBytes} bytes`, {
        cause: error,
      });
    }
    this.sizeBytes = sizeBytes;
  }

  /** Lets the kernel look at the partition table of a block device; false where it does not. */
  rereadPartitions(): boolean {
    return libc()?.ioctl(this.fd, rereadPartitions) === 0;
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    this.#direct.close();
    await super[Symbol.asyncDispose]();
  }

  #touch(at: number, lengthBytes: number): void {
    if (this.#touched === undefined) return;
    const first = Math.floor(at / touchedGrainBytes);
    const last = Math.floor((at + lengthBytes - 1) / touchedGrainBytes);
    this.#touched.setRange(first, last - first + 1);
  }
}

function refuseShared(filePath: string, fd: number): void {
  if (libc()?.lockWhole(fd) === false) throw lockedFailure("change", filePath);
  refuseLoop("change", filePath, fd);
}

function lockedFailure(action: string, filePath: string): Failure {
  return new Failure("refused", `cannot ${action} "${filePath}": another program has it locked`, {
    hint: "is it the disk of a running virtual machine? shut that down first",
  });
}

function refuseLoop(action: string, filePath: string, fd: number): void {
  const loop = loopDeviceOf(fs.fstatSync(fd, { bigint: true }));
  if (loop === undefined) return;
  throw new Failure("refused", `cannot ${action} "${filePath}": it is in use as ${loop}`, {
    hint: `unmount what is on it, and run: losetup -d ${loop}`,
  });
}

function openSized(
  filePath: string,
  flags: string | number,
  action = flags === "r" ? "open" : "change",
): { readonly fd: number; readonly sizeBytes: number } {
  let fd: number;
  try {
    fd = fs.openSync(filePath, flags);
  } catch (error) {
    if (isSystemError(error, "EBUSY")) {
      throw new Failure("refused", `cannot ${action} "${filePath}": it is in use`, {
        cause: error,
        hint: "unmount what is on it first",
      });
    }
    const code = isSystemError(error, "ENOENT", "ENOTDIR") ? "not-found" : "failed";
    const isForRoot = isSystemError(error, "EACCES", "EPERM") && fs.statSync(filePath).isBlockDevice();
    const hint = isForRoot ? { hint: "real devices need root: run the same command with sudo" } : {};
    throw new Failure(code, `cannot ${action} "${filePath}": ${systemReason(error)}`, { cause: error, ...hint });
  }
  try {
    const stat = fs.fstatSync(fd);
    if (stat.isBlockDevice()) return { fd, sizeBytes: blockDeviceSize(filePath, stat.rdev) };
    if (!stat.isFile()) {
      throw new Failure("unsupported", `cannot open "${filePath}": it is neither a file nor a block device`);
    }
    return { fd, sizeBytes: stat.size };
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
}

/** Linux keeps the size of a block device, in 512-byte sectors, in sysfs under its device number. */
function blockDeviceSize(filePath: string, rdev: number): number {
  const sysfs = path.join("/sys/dev/block", deviceNumber(rdev), "size");
  try {
    return Number(fs.readFileSync(sysfs, "latin1")) * 512;
  } catch (error) {
    throw new Failure("unsupported", `cannot tell the size of "${filePath}": ${systemReason(error)}`, { cause: error });
  }
}
