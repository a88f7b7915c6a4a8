import * as fs from "node:fs";

/** Several changes at once are told of once. */
const gatherMs = 15;
/** Where the kernel cannot tell, the folders' times are looked at so often. */
const pollMs = 2000;

/** Watchers of mailboxes in this process: one for each mailbox, however many connections wait. */
export class FolderWatchers {
  readonly #watched = new Map<string, WatchedFolder>();

  /**
   * Calls after anything has happened in `cur` or `new`; may call for nothing. `lookAgainInMs` tells after a call when
   * the next one is due though nothing has happened.
   */
  watch(folder: string, onChange: () => void, lookAgainInMs: () => number): Disposable {
    const watched = this.#watched.get(folder) ?? new WatchedFolder(folder, lookAgainInMs);
    this.#watched.set(folder, watched);
    const call = (): void => onChange();
    watched.calls.add(call);
    return {
      [Symbol.dispose]: () => {
        watched.calls.delete(call);
        if (watched.calls.size > 0 || this.#watched.get(folder) !== watched) return;
        this.#watched.delete(folder);
        watched[Symbol.dispose]();
      },
    };
  }
}

class WatchedFolder implements Disposable {
  readonly calls = new Set<() => void>();
  readonly #watchers: fs.FSWatcher[] = [];
  readonly #lookAgainInMs: () => number;
  #timer: NodeJS.Timeout | undefined;
  #again: NodeJS.Timeout | undefined;
  #poll: NodeJS.Timeout | undefined;

  constructor(folder: string, lookAgainInMs: () => number) {
    this.#lookAgainInMs = lookAgainInMs;
    for (const name of ["cur", "new"]) {
      try {
        const watcher = fs.watch(`${folder}/${name}`, { persistent: false }, () => this.#happened());
        watcher.on("error", () => this.#pollInstead(folder));
        this.#watchers.push(watcher);
      } catch {
        // So many things are watched on this machine that the kernel refuses more.
        this.#pollInstead(folder);
      }
    }
  }

  #happened(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      for (const call of this.calls) call();
      clearTimeout(this.#again);
      const againMs = this.#lookAgainInMs();
      if (againMs !== Infinity) this.#again = setTimeout(() => this.#happened(), againMs).unref();
    }, gatherMs).unref();
  }

  #pollInstead(folder: string): void {
    const times = (): string => {
      return ["cur", "new"].map((name) => fs.statSync(`${folder}/${name}`, { throwIfNoEntry: false })?.mtimeMs).join();
    };
    let before = times();
    this.#poll ??= setInterval(() => {
      const now = times();
      if (now !== before) this.#happened();
      before = now;
    }, pollMs).unref();
  }

  [Symbol.dispose](): void {
    for (const watcher of this.#watchers) watcher.close();
    clearTimeout(this.#timer);
    clearTimeout(this.#again);
    clearInterval(this.#poll);
  }
}
