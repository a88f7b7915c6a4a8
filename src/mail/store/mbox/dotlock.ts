import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { isSystemError } from "../../../base/index.ts";

/** A lock that nobody has touched for so long, with a mailbox as old, is left over (Debian's liblockfile: the same). */
const staleAfterMs = 5 * 60_000;

/** A lock of this length and no more is read: there is a process number in it. */
const lockReadBytes = 256;

const refusals = ["EACCES", "EPERM", "EROFS"] as const;

/**
 * One try for `MAILBOX.lock`, as liblockfile, procmail, mutt and Dovecot make it: a file of one's own linked to the name,
 * which is all or nothing on NFS too. `held` where another has it, `not-allowed` where this user may not create files
 * there, as in Debian's /var/mail for those who are not in the group mail.
 */
export function tryDotlock(mailbox: string, options: { readonly nowMs: number }): Disposable | "held" | "not-allowed" {
  const lock = `${mailbox}.lock`;
  removeStale(lock, mailbox, options.nowMs);
  const own = path.join(path.dirname(mailbox), `.lk${process.pid}.${counter.next()}.${hostWord()}`);
  try {
    fs.writeFileSync(own, `${process.pid}\n`, { flag: "wx", mode: 0o644 });
  } catch (error) {
    if (isSystemError(error, ...refusals)) return "not-allowed";
    throw error;
  }
  try {
    fs.linkSync(own, lock);
  } catch {
    // Over NFS an answer may be lost: whether the link is there tells.
    if (fs.statSync(own, { throwIfNoEntry: false })?.nlink !== 2) return "held";
  } finally {
    fs.rmSync(own, { force: true });
  }
  const { ino } = fs.statSync(lock);
  return {
    [Symbol.dispose]() {
      // Whoever took it for left over has made another.
      if (fs.statSync(lock, { throwIfNoEntry: false })?.ino === ino) fs.rmSync(lock, { force: true });
    },
  };
}

const counter = {
  value: 0,
  next(): number {
    return this.value++;
  },
};

function hostWord(): string {
  return os
    .hostname()
    .replaceAll(/[^A-Za-z0-9.-]/g, "-")
    .slice(0, 64);
}

/** Only called by who holds the lock of fcntl(2), so that two do not remove one another's. */
function removeStale(lock: string, mailbox: string, nowMs: number): void {
  const stat = fs.lstatSync(lock, { throwIfNoEntry: false });
  if (stat === undefined) return;
  const touchedMs = Math.max(stat.mtimeMs, fs.statSync(mailbox, { throwIfNoEntry: false })?.mtimeMs ?? 0);
  const holder = holderOf(lock);
  if (nowMs - touchedMs < staleAfterMs && (holder === undefined || isRunning(holder))) return;
  try {
    fs.rmSync(lock, { force: true });
  } catch (error) {
    if (!isSystemError(error, ...refusals)) throw error;
  }
}

/** The process of this machine that the lock names: `PID`, or `PID:HOST` as Dovecot writes it. */
function holderOf(lock: string): number | undefined {
  let text: string;
  try {
    text = fs.readFileSync(lock, "latin1").slice(0, lockReadBytes);
  } catch {
    return undefined;
  }
  const match = /^\s*([1-9]\d{0,9})(?::(\S+))?\s*$/.exec(text);
  if (match === null || (match[2] !== undefined && match[2] !== os.hostname())) return undefined;
  return Number(match[1]);
}

/** Whether there is such a process on this machine. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !isSystemError(error, "ESRCH");
  }
}
