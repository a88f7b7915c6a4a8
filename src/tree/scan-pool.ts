import type { Worker } from "node:worker_threads";
import { contentsLimitBytes, scanFolders, type FolderNames, type ScanResult } from "./folder-scan.ts";

const threadLimit = 4;
/** Scans that a thread has before it: one under way, one to go on with. */
const scansAThread = 2;
/** What a thread makes lives briefly: a small nursery keeps the process small. */
const resourceLimits = { maxYoungGenerationSizeMb: 4 };

/** A scan that was asked for. */
export interface Scan {
  readonly folders: readonly FolderNames[];
  /** The buffer that its contents are in. */
  readonly contents: SharedArrayBuffer;
  result?: ScanResult;
  error?: unknown;
}

interface Thread {
  readonly worker: Worker;
  /** In the order in which they were given. */
  readonly given: Scan[];
}

/** Threads that scan folders, and the thread that waits for them, which scans too instead of only waiting. */
export class ScanPool {
  readonly #threads: Thread[] = [];
  readonly #buffers: SharedArrayBuffer[] = [];
  /** Asked for, and given to no thread yet. */
  readonly #waiting: Scan[] = [];
  #onResult: (() => void) | undefined;

  /** Asks for a scan that will be wanted after those asked for before. */
  ask(folders: readonly FolderNames[]): Scan {
    const scan: Scan = { folders, contents: this.#buffers.pop() ?? new SharedArrayBuffer(contentsLimitBytes) };
    this.#waiting.push(scan);
    this.#feed();
    return scan;
  }

  /** The result of a scan. Until it is there, scans that no thread has begun are done on the spot. */
  async resultOf(scan: Scan): Promise<ScanResult> {
    while (scan.result === undefined && scan.error === undefined) {
      const own = this.#waiting.includes(scan) ? scan : this.#waiting[0];
      if (own !== undefined) {
        this.#waiting.splice(this.#waiting.indexOf(own), 1);
        own.result = scanFolders(own);
        await new Promise(setImmediate); // lets results in that have come meanwhile
      } else {
        await new Promise<void>((resolve) => {
          this.#onResult = resolve;
        });
      }
    }
    if (scan.result === undefined) throw scan.error;
    return scan.result;
  }

  /** Takes back a buffer whose contents nobody looks at any more. */
  recycle(contents: SharedArrayBuffer): void {
    this.#buffers.push(contents);
  }

  /** Starts the threads: worth their while for all but the smallest trees. */
  start(): void {
    this.#starting ??= this.#startThreads();
    this.#starting.catch(() => {}); // told when the pool is stopped: scans go on without threads
  }

  async #startThreads(): Promise<void> {
    const { Worker } = await import("node:worker_threads");
    const { availableParallelism } = await import("node:os");
    const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
    const script = new URL(`./folder-worker.${extension}`, import.meta.url);
    // The reader of the tree has work of its own for one core.
    const count = Math.min(threadLimit, Math.max(1, availableParallelism() - 1));
    for (let n = 0; n < count; n++) {
      const worker = new Worker(script, { resourceLimits });
      const thread: Thread = { worker, given: [] };
      worker.once("online", () => {
        this.#threads.push(thread);
        this.#feed();
      });
      worker.on("message", (result: ScanResult) => {
        const scan = thread.given.shift();
        if (scan !== undefined) scan.result = result;
        this.#settle();
      });
      worker.on("error", (error) => {
        for (const scan of thread.given.splice(0)) scan.error = error;
        this.#settle();
      });
      this.#workers.push(worker);
    }
  }

  async stop(): Promise<void> {
    await this.#starting;
    this.#threads.length = 0;
    await Promise.all(this.#workers.splice(0).map((worker) => worker.terminate()));
  }

  #starting: Promise<void> | undefined;
  readonly #workers: Worker[] = [];

  #settle(): void {
    this.#feed();
    this.#onResult?.();
    this.#onResult = undefined;
  }

  #feed(): void {
    for (const { worker, given } of this.#threads) {
      while (given.length < scansAThread) {
        const scan = this.#waiting.shift();
        if (scan === undefined) return;
        given.push(scan);
        worker.postMessage({ folders: scan.folders, contents: scan.contents });
      }
    }
  }
}
