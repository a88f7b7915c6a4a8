import * as fs from "node:fs";
import { isSystemError } from "../../../base/index.ts";

/** Files and folders that were changed: each is opened at once, and is on disk when `done` resolves. */
export class ToSync implements Disposable {
  readonly #fds: number[] = [];

  /** A file that was opened, to be closed afterwards. */
  file(fd: number): void {
    this.#fds.push(fd);
  }

  folder(path: string): void {
    this.#fds.push(fs.openSync(path, "r"));
  }

  async done(): Promise<void> {
    const fds = this.#fds.splice(0);
    try {
      await Promise.all(fds.map(synced));
    } finally {
      for (const fd of fds) fs.closeSync(fd);
    }
  }

  [Symbol.dispose](): void {
    for (const fd of this.#fds.splice(0)) fs.closeSync(fd);
  }
}

async function synced(fd: number): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      fs.fsync(fd, (error) => (error === null ? resolve() : reject(error)));
    });
  } catch (error) {
    // Some file systems cannot sync a folder, and say so.
    if (!isSystemError(error, "EINVAL", "EISDIR", "ENOTSUP")) throw error;
  }
}
