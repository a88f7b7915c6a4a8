import { Worker } from "node:worker_threads";
import { Failure } from "../../../base/index.ts";
import type { SmbAnswer, SmbCalls, SmbVerb } from "./calls.ts";

/** What the library has said instead of an answer. */
export class SmbCallError extends Error {
  readonly errno: number;

  constructor(errno: number) {
    super(`the SMB library says ${errno}`);
    this.errno = errno;
  }
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** The thread with the library. There is one for all stores, since the library has its state in itself. */
export class SmbThread {
  static #shared: SmbThread | undefined;
  static #users = 0;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;

  private constructor() {
    const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
    this.#worker = new Worker(new URL(`./smb-worker.${extension}`, import.meta.url));
    this.#worker.unref();
    this.#worker.on("message", (answer: SmbAnswer) => this.#take(answer));
    this.#worker.on("error", (error) => {
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
      this.#worker.unref();
    });
  }

  /** Whoever is given it gives it back. */
  static borrow(): SmbThread {
    SmbThread.#users++;
    SmbThread.#shared ??= new SmbThread();
    return SmbThread.#shared;
  }

  static async giveBack(): Promise<void> {
    SmbThread.#users--;
    if (SmbThread.#users > 0) return;
    const thread = SmbThread.#shared;
    SmbThread.#shared = undefined;
    if (thread !== undefined) await thread.#worker.terminate();
  }

  async call<Verb extends SmbVerb>(
    verb: Verb,
    ...args: Parameters<SmbCalls[Verb]>
  ): Promise<ReturnType<SmbCalls[Verb]>> {
    const id = this.#nextId++;
    const [, bytes] = args;
    const transferred = bytes instanceof Uint8Array ? [bytes.buffer] : [];
    this.#worker.ref(); // the program waits for the answer
    return (await new Promise<unknown>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, verb, args }, transferred);
    })) as ReturnType<SmbCalls[Verb]>;
  }

  #take({ id, value, errno, message }: SmbAnswer): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (this.#waiting.size === 0) this.#worker.unref();
    if (errno === undefined) return waiting?.resolve(value);
    waiting?.reject(errno === -1 ? noLibrary(message ?? "") : new SmbCallError(errno));
  }
}

function noLibrary(message: string): Failure {
  return new Failure("unsupported", "cannot use SMB: Samba's client library is not installed", {
    hint: "install libsmbclient; or mount the share, and name the folder",
    cause: new Error(message),
  });
}
