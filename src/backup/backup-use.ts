import * as fs from "node:fs";
import * as path from "node:path";
import { libc } from "../base/index.ts";

/** One of these is in every backup; who reads a backup has a lock on it. */
const lockedFiles = ["parts", "disk"];

/**
 * Says for as long as it lives that a backup is being read, so that nobody deletes it meanwhile. Works among the
 * processes of machines that see the same folder; does nothing for backups that are elsewhere.
 */
export class BackupUse implements Disposable {
  readonly #fd: number | undefined;

  constructor(backup: string) {
    this.#fd = openFirst(backup);
    if (this.#fd !== undefined) libc()?.lockShared(this.#fd);
  }

  [Symbol.dispose](): void {
    if (this.#fd !== undefined) fs.closeSync(this.#fd);
  }
}

/** Whether somebody else has a lock on a backup, or on one file of it. */
export function isInUse(backup: string, ...files: readonly string[]): boolean {
  return (files.length === 0 ? lockedFiles : files).some((name) => {
    const fd = openFile(path.join(backup, name));
    if (fd === undefined) return false;
    try {
      return libc()?.isLocked(fd) === true;
    } finally {
      fs.closeSync(fd);
    }
  });
}

function openFirst(backup: string): number | undefined {
  for (const name of lockedFiles) {
    const fd = openFile(path.join(backup, name));
    if (fd !== undefined) return fd;
  }
  return undefined;
}

function openFile(file: string): number | undefined {
  try {
    return fs.openSync(file, "r");
  } catch {
    return undefined;
  }
}
