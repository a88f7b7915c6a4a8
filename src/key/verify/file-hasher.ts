import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { DataPiece } from "../../tree/index.ts";
import { startHashing, type Hashing, type HashResult, type HashTask } from "./hash-task.ts";
import type { HashWorkerAnswer, HashWorkerData, HashWorkerMessage } from "./hash-worker.ts";

const slotBytes = 1024 * 1024;
/** How far the threads may be behind whoever copies. */
const slotCount = 16;
/** For less, starting a thread takes longer than hashing. */
const worthThreadBytes = 16 * 1024 * 1024;
/** What a thread makes lives briefly: a small nursery keeps the process small. */
const resourceLimits = { maxYoungGenerationSizeMb: 4 };
const zeros = new Uint8Array(slotBytes);

/** Hashes a file in other threads while it is read for something else, as for copying it. */
export interface FileHasher extends AsyncDisposable {
  /** Takes the next piece, in ascending order; holes may be left out. Waits only where the threads are far behind. */
  update(piece: DataPiece): Promise<void>;
  /** One for each task, in their order, once all pieces were given. */
  results(): Promise<readonly HashResult[]>;
}

export function startHasher(tasks: readonly HashTask[], sizeBytes: number): FileHasher {
  return sizeBytes < worthThreadBytes ? new HereHasher(tasks, sizeBytes) : new ThreadHasher(tasks, sizeBytes);
}

class HereHasher implements FileHasher {
  readonly #hashings: readonly Hashing[];
  readonly #sizeBytes: number;
  #position = 0;

  constructor(tasks: readonly HashTask[], sizeBytes: number) {
    this.#hashings = tasks.map(startHashing);
    this.#sizeBytes = sizeBytes;
  }

  async update({ at, bytes }: DataPiece): Promise<void> {
    this.#fillUpTo(at);
    this.#take(bytes);
  }

  async results(): Promise<readonly HashResult[]> {
    this.#fillUpTo(this.#sizeBytes);
    return this.#hashings.map((hashing) => hashing.result());
  }

  #fillUpTo(end: number): void {
    while (this.#position < end) this.#take(zeros.subarray(0, Math.min(zeros.length, end - this.#position)));
  }

  #take(bytes: Uint8Array): void {
    for (const hashing of this.#hashings) hashing.update(this.#position, bytes);
    this.#position += bytes.length;
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

interface Thread {
  readonly worker: Worker;
  /** Which tasks are its own. */
  readonly taskNumbers: readonly number[];
}

class ThreadHasher implements FileHasher {
  readonly #sizeBytes: number;
  readonly #ring = new SharedArrayBuffer(slotBytes * slotCount);
  readonly #threads: readonly Thread[];
  /** How many threads have still to read each slot. */
  readonly #readers: number[] = Array.from({ length: slotCount }, () => 0);
  readonly #results: HashResult[] = [];
  #next = 0;
  #answeredCount = 0;
  #error: Error | undefined;
  #onChange: (() => void) | undefined;

  constructor(tasks: readonly HashTask[], sizeBytes: number) {
    this.#sizeBytes = sizeBytes;
    const count = Math.min(tasks.length, Math.max(1, availableParallelism()));
    this.#threads = Array.from({ length: count }, (_, n) => {
      const taskNumbers = [...tasks.keys()].filter((number) => number % count === n);
      return this.#start(tasks, taskNumbers);
    });
  }

  #start(tasks: readonly HashTask[], taskNumbers: readonly number[]): Thread {
    const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
    const own = taskNumbers.flatMap((number) => tasks[number] ?? []);
    const workerData: HashWorkerData = { tasks: own, ring: this.#ring, slotBytes };
    const worker = new Worker(new URL(`./hash-worker.${extension}`, import.meta.url), { workerData, resourceLimits });
    worker.on("message", (answer: HashWorkerAnswer) => {
      if ("slot" in answer) this.#readers[answer.slot] = (this.#readers[answer.slot] ?? 0) - 1;
      else {
        for (const [n, result] of answer.results.entries()) this.#results[taskNumbers[n] ?? 0] = result;
        this.#answeredCount++;
      }
      this.#change();
    });
    worker.on("error", (error) => {
      this.#error = error instanceof Error ? error : new Error(String(error));
      this.#change();
    });
    return { worker, taskNumbers };
  }

  async update({ at, bytes }: DataPiece): Promise<void> {
    for (let done = 0; done < bytes.length; done += slotBytes) {
      const part = bytes.subarray(done, done + slotBytes);
      const slot = this.#next;
      await this.#until(() => this.#readers[slot] === 0);
      new Uint8Array(this.#ring, slot * slotBytes, part.length).set(part);
      this.#readers[slot] = this.#threads.length;
      this.#next = (slot + 1) % slotCount;
      this.#tell({ slot, at: at + done, lengthBytes: part.length });
    }
  }

  async results(): Promise<readonly HashResult[]> {
    this.#tell({ sizeBytes: this.#sizeBytes });
    await this.#until(() => this.#answeredCount === this.#threads.length);
    return this.#results;
  }

  #tell(message: HashWorkerMessage): void {
    for (const { worker } of this.#threads) worker.postMessage(message);
  }

  async #until(isSo: () => boolean): Promise<void> {
    for (;;) {
      if (this.#error !== undefined) throw this.#error;
      if (isSo()) return;
      await new Promise<void>((resolve) => {
        this.#onChange = resolve;
      });
    }
  }

  #change(): void {
    this.#onChange?.();
    this.#onChange = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()));
  }
}
