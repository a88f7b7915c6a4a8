import * as fs from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Failure, isSystemError, libc, systemReason } from "../../../base/index.ts";
import { tryDotlock } from "./dotlock.ts";

/** An mbox that is open and locked, until disposed of. */
export interface LockedMbox extends Disposable {
  readonly path: string;
  readonly fd: number;
  /** Whether it was there before. */
  readonly isNew: boolean;
}

export interface LockOptions {
  readonly kind: "read" | "write";
  /** Makes the file where there is none, with this mode. */
  readonly createMode?: number;
  readonly nowMs: () => number;
}

/** How long one waits for another program before the answer is that the mailbox is locked. */
export const lockTimeoutMs = 2 * 60_000;
const retryMs = 20;
const longestRetryMs = 500;

/**
 * One try for the locks that Debian's programs use (policy §11.6): fcntl(2), then for writing a dotlock. Readers take
 * only the first, as Dovecot does. Undefined where another has one of them: then none is kept.
 */
export function tryLockMbox(path: string, options: LockOptions): LockedMbox | undefined {
  const { fd, isNew } = openFile(path, options);
  using held = new DisposableStack();
  held.defer(() => fs.closeSync(fd));
  // A lock by fcntl(2) lasts as long as what was opened: others in this process do not take it away by closing.
  const calls = libc();
  if (calls !== undefined && !(options.kind === "read" ? calls.lockShared(fd) : calls.lockWhole(fd))) return undefined;
  if (!isSameFile(fd, path)) return undefined; // replaced or removed before the lock was there
  if (options.kind === "write") {
    const dotlock = tryDotlock(path, { nowMs: options.nowMs() });
    if (dotlock === "held") return undefined;
    if (dotlock !== "not-allowed") held.use(dotlock);
    else if (calls === undefined) throw new Failure("refused", cannotLock(path));
  }
  const locks = held.move();
  return { path, fd, isNew, [Symbol.dispose]: () => locks.dispose() };
}

function cannotLock(path: string): string {
  return `cannot lock "${path}": files cannot be created beside it, and there is no fcntl(2) here`;
}

/** Waits for the locks without holding up others. */
export async function lockMbox(
  path: string,
  options: LockOptions & { readonly signal?: AbortSignal; readonly timeoutMs?: number },
): Promise<LockedMbox> {
  const endMs = options.nowMs() + (options.timeoutMs ?? lockTimeoutMs);
  for (let waitMs = retryMs; ; waitMs = Math.min(waitMs * 1.5, longestRetryMs)) {
    const locked = tryLockMbox(path, options);
    if (locked !== undefined) return locked;
    if (options.nowMs() >= endMs) throw stillLocked(path);
    await sleep(waitMs, undefined, { signal: options.signal });
  }
}

/** Waits in place: for what must answer at once, and only for a short time. */
export function lockMboxNow(path: string, options: LockOptions & { readonly timeoutMs: number }): LockedMbox {
  const endMs = options.nowMs() + options.timeoutMs;
  for (;;) {
    const locked = tryLockMbox(path, options);
    if (locked !== undefined) return locked;
    if (options.nowMs() >= endMs) throw stillLocked(path);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, retryMs);
  }
}

function stillLocked(path: string): Failure {
  return new Failure("failed", `cannot use "${path}": another program has it locked`, {
    hint: `it goes on when that program is done; a file "${path}.lock" that nobody has touched for five minutes is ignored`,
  });
}

function openFile(path: string, options: LockOptions): { readonly fd: number; readonly isNew: boolean } {
  try {
    return { fd: fs.openSync(path, options.kind === "read" ? "r" : "r+"), isNew: false };
  } catch (error) {
    const isMissing = isSystemError(error, "ENOENT");
    if (isMissing && options.createMode !== undefined) return createFile(path, options);
    const code = isMissing ? "not-found" : "failed";
    throw new Failure(code, `cannot open "${path}": ${systemReason(error)}`, { cause: error });
  }
}

function createFile(path: string, options: LockOptions): { readonly fd: number; readonly isNew: boolean } {
  try {
    return { fd: fs.openSync(path, "wx+", options.createMode), isNew: true };
  } catch (error) {
    if (isSystemError(error, "EEXIST")) return openFile(path, { kind: options.kind, nowMs: options.nowMs });
    throw new Failure("failed", `cannot create "${path}": ${systemReason(error)}`, { cause: error });
  }
}

function isSameFile(fd: number, path: string): boolean {
  const [open, named] = [fs.fstatSync(fd), fs.statSync(path, { throwIfNoEntry: false })];
  return open.ino === named?.ino && open.dev === named.dev;
}
