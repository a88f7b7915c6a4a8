import * as fs from "node:fs";
import * as path from "node:path";
import { threadId } from "node:worker_threads";
import { isSystemError } from "../../../base/index.ts";
import { textIfThere } from "../text-if-there.ts";

/** A lock as Dovecot takes it: `FILE.lock`, created exclusively, with the process and the host in it. */
export interface LockOwner {
  readonly pid: number;
  readonly host: string;
  readonly now: () => number;
}

/** A lock that nobody has touched for so long is left over, if its owner cannot be asked for. */
const staleMs = 120_000;
/** A lock so young may be one that its owner has not written into yet. */
const youngMs = 2000;

/** Takes the lock beside a file, or says that somebody has it. What is left over is removed. */
export function tryDotlock(file: string, owner: LockOwner): Disposable | undefined {
  const lock = `${file}.lock`;
  if (!created(lock, owner)) {
    if (!isLeftOver(lock, file, owner)) return undefined;
    fs.rmSync(lock, { force: true });
    if (!created(lock, owner)) return undefined;
  }
  const { ino } = fs.statSync(lock);
  return {
    [Symbol.dispose]() {
      // Someone who thought it left over may have put his own there.
      if (fs.lstatSync(lock, { throwIfNoEntry: false })?.ino === ino) fs.rmSync(lock, { force: true });
    },
  };
}

/** The lock appears with its owner in it: an empty one, of a process that was killed, would hold others up for minutes. */
function created(lock: string, owner: LockOwner): boolean {
  const own = path.join(path.dirname(lock), "tmp", `holdfast-lock.${owner.pid}.${threadId}`);
  try {
    fs.writeFileSync(own, `${owner.pid}:${owner.host}`, { mode: 0o600 });
    fs.linkSync(own, lock);
    return true;
  } catch (error) {
    if (isSystemError(error, "EEXIST")) return false;
    if (!isSystemError(error, "EPERM", "ENOTSUP", "ENOSYS", "EMLINK", "ENOSPC", "EDQUOT")) throw error;
    return createdEmpty(lock);
  } finally {
    fs.rmSync(own, { force: true });
  }
}

/** Without hard links, or on a full disk, where messages can still be removed under it. */
function createdEmpty(lock: string): boolean {
  try {
    fs.closeSync(fs.openSync(lock, "wx", 0o600));
    return true;
  } catch (error) {
    if (isSystemError(error, "EEXIST")) return false;
    throw error;
  }
}

function isLeftOver(lock: string, file: string, owner: LockOwner): boolean {
  const { now } = owner;
  const seen = fs.lstatSync(lock, { throwIfNoEntry: false });
  if (seen === undefined) return true;
  const [, pid, host] = /^(\d+):(.*)$/s.exec(textIfThere(lock)) ?? [];
  // This process holds none while it does something else: one with its number was another's before.
  if (pid !== undefined && host === owner.host) {
    return (Number(pid) === owner.pid || !isRunning(Number(pid))) && isSame(lock, seen);
  }
  const ageMs = now() - Math.max(seen.mtimeMs, seen.ctimeMs);
  if (ageMs < youngMs) return false;
  const changedMs = fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return ageMs > staleMs && now() - changedMs > staleMs && isSame(lock, seen);
}

function isSame(lock: string, seen: fs.Stats): boolean {
  const now = fs.lstatSync(lock, { throwIfNoEntry: false });
  return now !== undefined && now.ino === seen.ino && now.ctimeMs === seen.ctimeMs;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return isSystemError(error, "EPERM");
  }
}
