import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { Failure, stopIfAborted, type FailureCode, type JobOptions } from "../../base/index.ts";
import type { DebContents } from "../../tree/index.ts";

/** What a thread says of a package. */
export interface ReadAnswer {
  readonly contents?: DebContents;
  readonly failure?: {
    readonly code: FailureCode | undefined;
    readonly message: string;
    readonly hint: string | undefined;
  };
}

export interface PackageFile {
  readonly path: string;
  readonly sizeBytes: number;
}

const threadLimit = 8;

/** Decompresses packages on all processors; the largest are begun first. Gives the contents in the order asked for. */
export async function readPackages(files: readonly PackageFile[], job: JobOptions): Promise<DebContents[]> {
  const waiting = files.map((file, index) => ({ ...file, index })).sort((a, b) => b.sizeBytes - a.sizeBytes);
  const contents: DebContents[] = [];
  const totalBytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  let doneBytes = 0;
  const work = async (): Promise<void> => {
    await using reader = new Reader();
    try {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        stopIfAborted(job.signal);
        contents[next.index] = await reader.read(next.path);
        doneBytes += next.sizeBytes;
        job.onProgress?.({ phase: "unpacking", doneBytes, totalBytes });
      }
    } finally {
      waiting.length = 0; // the others need not go on where one has failed
    }
  };
  const count = Math.min(threadLimit, availableParallelism(), files.length);
  const ends = await Promise.allSettled(Array.from({ length: count }, work));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
  return contents;
}

/** A thread, and who waits for its next answer. */
class Reader {
  readonly #worker: Worker;
  #settle: ((answer: ReadAnswer | Error) => void) | undefined;

  constructor() {
    const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
    this.#worker = new Worker(new URL(`./package-worker.${extension}`, import.meta.url));
    this.#worker.on("message", (answer: ReadAnswer) => this.#settle?.(answer));
    this.#worker.on("error", (error) => this.#settle?.(error instanceof Error ? error : new Error(String(error))));
    this.#worker.on("exit", () => this.#settle?.(new Error("a thread that reads packages ended")));
  }

  async read(path: string): Promise<DebContents> {
    const answer = await new Promise<ReadAnswer | Error>((resolve) => {
      this.#settle = resolve;
      this.#worker.postMessage(path);
    });
    if (answer instanceof Error) throw answer;
    const { contents, failure } = answer;
    if (contents !== undefined) return contents;
    const { code, message, hint } = failure ?? {};
    if (code === undefined) throw new Error(message);
    throw new Failure(code, message ?? "", hint === undefined ? {} : { hint });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#settle = undefined;
    await this.#worker.terminate();
  }
}
