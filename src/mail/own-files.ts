import * as fs from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Failure, isSystemError, libc, OutputFile, systemReason } from "../base/index.ts";

/** Who may read a file: keys are for their owner alone. */
export const secretMode = 0o600;
export const publicMode = 0o644;

const lockTries = 200;
const lockPauseMs = 50;

/**
 * Does something while no other process does the like in the same folder. The lock is the kernel's, so it is gone with
 * the process, however that ends. Throws `refused` where another one keeps it for ten seconds.
 */
export async function whileLocked<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const file = path.join(folder, "lock");
  let fd: number;
  try {
    fd = fs.openSync(file, "a", secretMode);
    inheritOwner(fd, folder);
  } catch (error) {
    throw new Failure("failed", `cannot change "${folder}": ${systemReason(error)}`, { cause: error });
  }
  try {
    for (let tries = 0; libc()?.lockWhole(fd) === false; tries++) {
      if (tries === lockTries) throw new Failure("refused", `cannot change "${folder}": another process is at it`);
      await sleep(lockPauseMs);
    }
    return await work();
  } finally {
    fs.closeSync(fd);
  }
}

/**
 * Makes a file hold this text: all of it or, whatever happens, what it held before. Mode and owner of one that is there
 * stay; a new one belongs to the owner of its folder. For callers that hold the folder's lock.
 */
export async function replaceFile(file: string, content: string | Uint8Array, mode: number): Promise<void> {
  fs.rmSync(`${file}.part`, { force: true }); // of a process that was ended while it held the lock
  const before = fs.statSync(file, { throwIfNoEntry: false });
  await using output = OutputFile.create(file, { force: true, mode: secretMode });
  fs.fchmodSync(output.fd, before === undefined ? mode : before.mode & 0o777);
  inheritOwner(output.fd, before === undefined ? path.dirname(file) : file);
  fs.writeFileSync(output.fd, content);
  output.commit();
}

/** Makes a folder that only its owner may look into: where root makes it, the owner of the folder above. */
export function makeFolder(folder: string): void {
  if (fs.existsSync(folder)) return;
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  const fd = fs.openSync(folder, "r");
  try {
    inheritOwner(fd, path.dirname(folder));
  } finally {
    fs.closeSync(fd);
  }
}

/** Root makes files for whoever has the folder; others can only make their own. */
function inheritOwner(fd: number, from: string): void {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = fs.statSync(from);
  fs.fchownSync(fd, uid, gid);
}

/** A text file of at most `limitBytes`. Throws `not-found`, with the hint given, where there is none. */
export function readText(
  file: string,
  { hint, limitBytes }: { readonly hint?: string; readonly limitBytes: number },
): string {
  return readBytes(file, { limitBytes, ...(hint === undefined ? {} : { hint }) }).toString("utf8");
}

export function readBytes(
  file: string,
  { hint, limitBytes }: { readonly hint?: string; readonly limitBytes: number },
): Buffer {
  try {
    const { size } = fs.statSync(file);
    if (size > limitBytes) {
      throw new Failure("unsupported", `cannot read "${file}": it has ${size} bytes, at most ${limitBytes}`);
    }
    return fs.readFileSync(file);
  } catch (error) {
    if (error instanceof Failure) throw error;
    const code = isSystemError(error, "ENOENT", "ENOTDIR") ? "not-found" : "failed";
    throw new Failure(code, `cannot read "${file}": ${systemReason(error)}`, {
      cause: error,
      ...(hint === undefined || code === "failed" ? {} : { hint }),
    });
  }
}
