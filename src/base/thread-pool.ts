import type { ResourceLimits, Worker } from "node:worker_threads";

/** Requests that a thread has before it: one under way, one to go on with. */
const requestsAThread = 2;

interface Asked<Request, Answer> {
  readonly request: Request;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

interface Thread<Request, Answer> {
  readonly worker: Worker;
  /** In the order in which they were given. */
  readonly given: Asked<Request, Answer>[];
}

export interface ThreadPoolOptions {
  readonly count: number;
  /** Passed to each thread as its `workerData`. */
  readonly data: unknown;
  readonly resourceLimits?: ResourceLimits;
}

/** Threads of one script, which answers each message with one message, in order. */
export class ThreadPool<Request, Answer> implements AsyncDisposable {
  readonly #threads: readonly Thread<Request, Answer>[];
  readonly #waiting: Asked<Request, Answer>[] = [];
  /** Why no thread is to be asked any more. */
  #end: { readonly error: unknown } | undefined;

  private constructor(workers: readonly Worker[]) {
    this.#threads = workers.map((worker) => this.#watch(worker));
  }

  /** Threads are loaded only now: most commands never have one. */
  static async start<Request, Answer>(script: URL, options: ThreadPoolOptions): Promise<ThreadPool<Request, Answer>> {
    const { Worker: Thread } = await import("node:worker_threads");
    const { count, data, resourceLimits } = options;
    const settings = { workerData: data, ...(resourceLimits === undefined ? {} : { resourceLimits }) };
    return new ThreadPool(Array.from({ length: count }, () => new Thread(script, settings)));
  }

  /** Rejects with what a thread threw: it is a bug, and the end of the pool. */
  ask(request: Request): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ request, resolve, reject });
      this.#feed();
    });
  }

  #watch(worker: Worker): Thread<Request, Answer> {
    const given: Asked<Request, Answer>[] = [];
    worker.on("message", (answer: Answer) => {
      given.shift()?.resolve(answer);
      this.#feed();
    });
    const end = (error: unknown): void => {
      this.#end ??= { error };
      for (const { reject } of given.splice(0)) reject(error);
      this.#feed();
    };
    worker.on("error", end);
    worker.on("exit", () => end(new Error("a thread ended before its work did")));
    return { worker, given };
  }

  /** To whoever has least to do. */
  #feed(): void {
    if (this.#end !== undefined) for (const { reject } of this.#waiting.splice(0)) reject(this.#end.error);
    for (let depth = 0; depth < requestsAThread; depth++) {
      for (const { worker, given } of this.#threads) {
        if (given.length > depth) continue;
        const asked = this.#waiting.shift();
        if (asked === undefined) return;
        given.push(asked);
        worker.postMessage(asked.request);
      }
    }
  }

  /** Stops the threads, whatever they are at. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()));
  }
}
