import * as fs from "node:fs";
import * as path from "node:path";
import { Failure, isSystemError } from "./failure.ts";

export interface OutputFileOptions {
  /** Replace an existing regular file on commit. */
  readonly force?: boolean;
  readonly mode?: number;
}

/**
 * A file that appears under its name whole or not at all: it is written as `<target>.part` beside the
 * target, and `commit` flushes it, renames it and flushes the folder. Disposed without a commit, it is removed.
 */
export class OutputFile implements AsyncDisposable {
  readonly target: string;
  readonly partPath: string;
  readonly fd: number;
  #committed = false;
  #isKept = false;
  readonly #force: boolean;

  private constructor(target: string, fd: number, force: boolean) {
    this.target = target;
    this.partPath = partPathOf(target);
    this.fd = fd;
    this.#force = force;
  }

  static create(target: string, options: OutputFileOptions = {}): OutputFile {
    const force = options.force ?? false;
    refuseExisting(target, force);
    try {
      return new OutputFile(target, fs.openSync(partPathOf(target), "wx+", options.mode ?? 0o666), force);
    } catch (error) {
      if (isSystemError(error, "EEXIST")) {
        throw new Failure("exists", `cannot create "${target}": "${partPathOf(target)}" is there from another run`, {
          hint: "if no other holdfast is writing it, remove that file",
          cause: error,
        });
      }
      throw new Failure("failed", `cannot create "${target}": ${systemReason(error)}`, { cause: error });
    }
  }

  /** Goes on with one that was kept, or that a process left which is no more. */
  static reopen(target: string): OutputFile {
    try {
      return new OutputFile(target, fs.openSync(partPathOf(target), "r+"), false);
    } catch (error) {
      throw new Failure("failed", `cannot go on with "${partPathOf(target)}": ${systemReason(error)}`, {
        cause: error,
      });
    }
  }

  /** What was written stays under the name that ends in `.part`, for `reopen`. */
  keep(): void {
    this.#isKept = true;
  }

  /** Makes the file appear under its name, durably. */
  commit(): void {
    fs.fsyncSync(this.fd);
    if (this.#force || !linkWithoutReplacing(this.partPath, this.target)) fs.renameSync(this.partPath, this.target);
    else fs.unlinkSync(this.partPath);
    this.#committed = true;
    syncFolder(path.dirname(this.target));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    fs.closeSync(this.fd);
    if (!this.#committed && !this.#isKept) fs.rmSync(this.partPath, { force: true });
  }
}

function partPathOf(target: string): string {
  return `${target}.part`;
}

function refuseExisting(target: string, force: boolean): void {
  const existing = fs.statSync(target, { throwIfNoEntry: false });
  if (existing === undefined) return;
  if (!existing.isFile()) {
    throw new Failure("refused", `cannot create "${target}": it is there and is not an ordinary file`);
  }
  if (!force) {
    throw new Failure("exists", `cannot create "${target}": it is there already`, {
      hint: "give another name, or --force to replace it",
    });
  }
}

/** A rename would silently replace what has come into being under the name meanwhile; a link does not. */
function linkWithoutReplacing(from: string, to: string): boolean {
  try {
    fs.linkSync(from, to);
    return true;
  } catch (error) {
    refuseExisting(to, false);
    if (isSystemError(error, "EPERM", "ENOTSUP", "EMLINK", "ENOSYS")) return false; // no hard links here, as on FAT
    throw error;
  }
}

function syncFolder(folder: string): void {
  const fd = fs.openSync(folder, "r");
  try {
    fs.fsyncSync(fd);
  } catch (error) {
    // Some file systems cannot sync a folder and say so; the rename itself has happened.
    if (!isSystemError(error, "EINVAL", "EPERM", "EISDIR", "ENOTSUP")) throw error;
  } finally {
    fs.closeSync(fd);
  }
}

/** The words of an operating system error without Node's code and call around them. */
export function systemReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message.replace(/^[A-Z0-9]+: /, "").replace(/, (\w+)( '.*')?$/, "");
}
