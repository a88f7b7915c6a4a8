import * as crypto from "node:crypto";
import * as fs from "node:fs";
import { Failure, isSystemError, libc, systemReason } from "../../base/index.ts";
import { createBeside } from "./beside.ts";

/**
 * A file that comes in, kept as `<target>.part` where it breaks off so that the next run goes on from there. A second
 * process that fetches the same file at the same time has a part of its own.
 */
export class PartFile implements Disposable {
  readonly #target: string;
  readonly #path: string;
  readonly #fd: number;
  readonly #isShared: boolean;
  #hash = crypto.createHash("sha256");
  #sizeBytes = 0;
  #isDone = false;

  private constructor(target: string, path: string, fd: number, isShared: boolean) {
    this.#target = target;
    this.#path = path;
    this.#fd = fd;
    this.#isShared = isShared;
  }

  /** Opens what an earlier run left, or begins. */
  static open(target: string): PartFile {
    const shared = `${target}.part`;
    try {
      const fd = openLocked(shared);
      if (fd === undefined) {
        const own = createBeside(target);
        return new PartFile(target, own.path, own.fd, false);
      }
      const part = new PartFile(target, shared, fd, true);
      part.#takeUp();
      return part;
    } catch (error) {
      throw writeFailure(target, error);
    }
  }

  /** How much of it is there. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  append(bytes: Uint8Array): void {
    try {
      for (let done = 0; done < bytes.length;) {
        done += fs.writeSync(this.#fd, bytes, done, bytes.length - done, this.#sizeBytes + done);
      }
    } catch (error) {
      throw writeFailure(this.#target, error);
    }
    this.#hash.update(bytes);
    this.#sizeBytes += bytes.length;
  }

  /** Forgets all that is there. */
  restart(): void {
    fs.ftruncateSync(this.#fd, 0);
    this.#hash = crypto.createHash("sha256");
    this.#sizeBytes = 0;
  }

  /** Lower-case hexadecimal, of what is there. */
  sha256(): string {
    return this.#hash.copy().digest("hex");
  }

  /** Makes it appear under its name. Whoever reads it later checks it, so it is not flushed. */
  commit(): void {
    fs.renameSync(this.#path, this.#target);
    this.#isDone = true;
  }

  /** Keeps what is there for the next run, if that run can find it. */
  [Symbol.dispose](): void {
    if (!this.#isDone && (!this.#isShared || this.#sizeBytes === 0)) fs.rmSync(this.#path, { force: true });
    fs.closeSync(this.#fd);
  }

  #takeUp(): void {
    const buffer = Buffer.allocUnsafe(1024 * 1024);
    for (;;) {
      const count = fs.readSync(this.#fd, buffer, 0, buffer.length, this.#sizeBytes);
      if (count === 0) return;
      this.#hash.update(buffer.subarray(0, count));
      this.#sizeBytes += count;
    }
  }
}

/** Undefined where another process has it, or locks are not to be had. */
function openLocked(path: string): number | undefined {
  const calls = libc();
  if (calls === undefined) return undefined;
  const fd = fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_CREAT, 0o644);
  // Its owner may have finished it, and renamed it, between our opening and our locking.
  const named = calls.lockWhole(fd) ? fs.statSync(path, { throwIfNoEntry: false }) : undefined;
  if (named !== undefined && named.ino === fs.fstatSync(fd).ino) return fd;
  fs.closeSync(fd);
  return undefined;
}

/** Why a file of the cache cannot be written. */
export function writeFailure(target: string, error: unknown): Failure {
  if (error instanceof Failure) return error;
  if (isSystemError(error, "ENOSPC", "EDQUOT")) {
    return new Failure("no-space", `cannot write "${target}": the disk is full`, {
      hint: "make room, or name another cache folder with XDG_CACHE_HOME",
      cause: error,
    });
  }
  return new Failure("failed", `cannot write "${target}": ${systemReason(error)}`, { cause: error });
}
