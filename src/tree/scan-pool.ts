import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { contentsLimitBytes, scanFolder, type ScanRequest, type ScanResult } from "./folder-scan.ts";

/** Scans that are done on the spot before threads are worth their start. */
const scansWithoutThreads = 3;
const threadLimit = 4;
/** What a thread makes lives briefly: a small nursery keeps the process small. */
const resourceLimits = { maxYoungGenerationSizeMb: 4 };

/** A result with the buffer that its contents are in. */
export interface Scan {
  readonly result: ScanResult;
  readonly contents: SharedArrayBuffer;
}

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
  readonly #buffers: SharedArrayBuffer[] = [];
  #scans = 0;

  async scan(wanted: Omit<ScanRequest, "contents">): Promise<Scan> {
    this.#scans++;
    const contents = this.#buffers.pop() ?? new SharedArrayBuffer(contentsLimitBytes);
    const request = { ...wanted, contents };
    if (this.#scans <= scansWithoutThreads) return { result: scanFolder(request), contents };
    if (this.#threads.length === 0) this.#start();
    const thread = this.#threads.reduce((a, b) => (b.waiting.length < a.waiting.length ? b : a));
    const result = await new Promise<ScanResult>((resolve, reject) => {
      thread.waiting.push({ resolve, reject });
      thread.worker.postMessage(request);
    });
    return { result, contents };
  }

  /** Takes back a buffer whose contents nobody looks at any more. */
  recycle(contents: SharedArrayBuffer): void {
    this.#buffers.push(contents);
  }

  async stop(): Promise<void> {
    const threads = this.#threads.splice(0);
    await Promise.all(threads.map(({ worker }) => worker.terminate()));
  }

  #start(): void {
    const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
    const script = new URL(`./folder-worker.${extension}`, import.meta.url);
    // The reader of the tree has work of its own for one core.
    const count = Math.min(threadLimit, Math.max(1, availableParallelism() - 1));
    for (let n = 0; n < count; n++) {
      const thread: Thread = { worker: new Worker(script, { resourceLimits }), waiting: [] };
      thread.worker.on("message", (result: ScanResult) => thread.waiting.shift()?.resolve(result));
      thread.worker.on("error", (error) => {
        for (const { reject } of thread.waiting.splice(0)) reject(error);
      });
      this.#threads.push(thread);
    }
  }
}
