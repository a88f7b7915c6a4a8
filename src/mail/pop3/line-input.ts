import type { Duplex } from "node:stream";
import { waitFor } from "./wait-for.ts";

/** SASL responses are the longest lines of POP3 (RFC 5034 §4). */
const lineLimitBytes = 12_288;

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/** What a client asks for, line by line. */
export class LineInput {
  readonly #socket: Duplex;
  readonly #signal: AbortSignal;
  readonly #idleMs: number;
  #held: Buffer = Buffer.alloc(0);

  constructor(socket: Duplex, { signal, idleMs }: { readonly signal: AbortSignal; readonly idleMs: number }) {
    this.#socket = socket;
    this.#signal = signal;
    this.#idleMs = idleMs;
  }

  /** Whether a line is here already: then its answer may wait for the answer before. */
  get hasLine(): boolean {
    if (this.#held.includes(lineFeed)) return true;
    this.#take();
    return this.#held.includes(lineFeed);
  }

  /**
   * The next line without its end. Undefined once there is none: the client hung up or was silent for too long, the
   * connection must end, or the line is longer than any can be.
   */
  async line(): Promise<string | undefined> {
    for (;;) {
      const end = this.#held.indexOf(lineFeed);
      if (end > lineLimitBytes || (end === -1 && this.#held.length > lineLimitBytes)) return undefined;
      if (end !== -1) {
        const line = this.#held.subarray(0, this.#held[end - 1] === carriageReturn ? end - 1 : end);
        this.#held = this.#held.subarray(end + 1);
        return line.toString("utf8");
      }
      if (this.#take()) continue;
      if (this.#socket.readableEnded || this.#socket.destroyed || !(await this.#wait())) return undefined;
    }
  }

  #take(): boolean {
    const chunk = this.#socket.read() as Buffer | null;
    if (chunk === null) return false;
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    return true;
  }

  /** False where nothing more will come. */
  #wait(): Promise<boolean> {
    return waitFor(this.#socket, { events: ["readable"], signal: this.#signal, limitMs: this.#idleMs });
  }
}
