import type { Duplex } from "node:stream";
import { Failure, systemReason } from "../../base/index.ts";

/** Takes bytes as they come; what it is given may be used only until it returns. */
export type Sink = (bytes: Buffer) => void;

/** A line of an answer, without literals and messages, is never longer. */
export const lineLimitBytes = 64 * 1024;
/** Read ahead of whoever takes it, before the peer has to wait. */
const aheadLimitBytes = 1024 * 1024;
const none: Buffer = Buffer.alloc(0);
const lineFeed = 10;
const carriageReturn = 13;

/** Reads lines and counted bytes from a connection, and lets the peer wait while nobody takes them. */
export class ByteReader {
  readonly #socket: Duplex;
  readonly #peer: string;
  readonly #chunks: Buffer[] = [];
  #chunksBytes = 0;
  #current: Buffer = none;
  #at = 0;
  #end: Failure | undefined;
  #wake: (() => void) | undefined;

  /** `peer` is how messages call the other side. */
  constructor(socket: Duplex, peer: string) {
    this.#socket = socket;
    this.#peer = peer;
    socket.on("data", this.#onData);
    socket.on("error", this.#onError);
    socket.on("end", this.#onEnd);
    socket.on("close", this.#onEnd);
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#chunks.push(chunk);
    this.#chunksBytes += chunk.length;
    if (this.#chunksBytes > aheadLimitBytes) this.#socket.pause();
    this.#wake?.();
  };
  readonly #onError = (error: Error): void => {
    const failure = error instanceof Failure ? error : undefined;
    this.#stop(
      failure ?? new Failure("failed", `cannot read from ${this.#peer}: ${systemReason(error)}`, { cause: error }),
    );
  };
  readonly #onEnd = (): void => {
    this.#stop(new Failure("failed", `cannot read from ${this.#peer}: it closed the connection, more was to come`));
  };

  #stop(failure: Failure): void {
    this.#end ??= failure;
    this.#wake?.();
  }

  /** Whether something was read that nobody has taken. */
  get hasMore(): boolean {
    return this.#at < this.#current.length || this.#chunks.length > 0;
  }

  /** Leaves the socket to somebody else. */
  release(): void {
    this.#socket
      .off("data", this.#onData)
      .off("error", this.#onError)
      .off("end", this.#onEnd)
      .off("close", this.#onEnd);
    this.#socket.pause();
  }

  /** The next line without its end, as Latin-1; throws `damaged` where it is too long. */
  async line(): Promise<string> {
    let before = "";
    for (;;) {
      const end = this.#current.indexOf(lineFeed, this.#at);
      const to = end < 0 ? this.#current.length : end;
      if (before.length + to - this.#at > lineLimitBytes) {
        throw new Failure("damaged", `cannot understand ${this.#peer}: a line is longer than ${lineLimitBytes} bytes`);
      }
      const text = before + this.#current.toString("latin1", this.#at, to);
      this.#at = end < 0 ? to : to + 1;
      if (end >= 0) return text.charCodeAt(text.length - 1) === carriageReturn ? text.slice(0, -1) : text;
      before = text;
      await this.#more();
    }
  }

  /** Gives exactly so many bytes to `sink`. */
  async bytes(count: number, sink: Sink): Promise<void> {
    for (let left = count; left > 0;) {
      if (this.#at === this.#current.length) await this.#more();
      const taken = this.#current.subarray(this.#at, this.#at + left);
      this.#at += taken.length;
      left -= taken.length;
      sink(taken);
    }
  }

  /** Gives what comes to `sink`, which says how much of it it took and whether it wants more. */
  async feed(sink: (bytes: Buffer) => { readonly taken: number; readonly isDone: boolean }): Promise<void> {
    for (;;) {
      if (this.#at === this.#current.length) await this.#more();
      const { taken, isDone } = sink(this.#current.subarray(this.#at));
      this.#at += taken;
      if (isDone) return;
    }
  }

  async #more(): Promise<void> {
    while (this.#chunks.length === 0) {
      if (this.#end !== undefined) throw this.#end;
      await new Promise<void>((resolve) => (this.#wake = resolve));
      this.#wake = undefined;
    }
    this.#current = this.#chunks.shift() ?? none;
    this.#at = 0;
    this.#chunksBytes -= this.#current.length;
    if (this.#socket.isPaused() && this.#chunksBytes <= aheadLimitBytes / 2) this.#socket.resume();
  }
}
