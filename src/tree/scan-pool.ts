import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { scanFolder, type ScanRequest, type ScanResult } from "./folder-scan.ts";

/** Scans that are done on the spot before threads are worth their start. */
const scansWithoutThreads = 3;
const threadLimit = 4;

interface Waiting {
  readonly resolve: (result: ScanResult) => void;
  readonly reject: (error: unknown) => void;
}

interface Thread {
  readonly worker: Worker;
  /** In the order in which they were asked. */
  readonly waiting: Waiting[];
}

/** Threads that scan folders. They are started once a tree turns out to be large. */
export class ScanPool {
  readonly #threads: Thread[] = [];
  readonly #spares: ArrayBuffer[] = [];
  #scans = 0;

  async scan(wanted: ScanRequest): Promise<ScanResult> {
    this.#scans++;
    const spare = this.#spares.pop();
    const request = spare === undefined ? wanted : { ...wanted, spare };
    if (this.#scans <= scansWithoutThreads) return scanFolder(request);
    if (this.#threads.length === 0) this.#start();
    const thread = this.#threads.reduce((a, b) => (b.waiting.length < a.waiting.length ? b : a));
    return new Promise((resolve, reject) => {
      thread.waiting.push({ resolve, reject });
      thread.worker.postMessage(request, spare === undefined ? [] : [spare]);
    });
  }

  /** Gives the buffer of a result back, which nobody looks at any more. */
  recycle(result: ScanResult): void {
    this.#spares.push(result.contents.buffer);
  }

  async stop(): Promise<void> {
    const threads = this.#threads.splice(0);
    await Promise.all(threads.map(({ worker }) => worker.terminate()));
  }

  #start(): void {
    const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
    const script = new URL(`./folder-worker.${extension}`, import.meta.url);
    const count = Math.min(threadLimit, Math.max(1, availableParallelism()));
    for (let n = 0; n < count; n++) {
      const thread: Thread = { worker: new Worker(script), waiting: [] };
      thread.worker.on("message", (result: ScanResult) => thread.waiting.shift()?.resolve(result));
      thread.worker.on("error", (error) => {
        for (const { reject } of thread.waiting.splice(0)) reject(error);
      });
      this.#threads.push(thread);
    }
  }
}
