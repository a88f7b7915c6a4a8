import type { Duplex } from "node:stream";
import { waitFor } from "./wait-for.ts";

/** Answers are gathered up to this much: a write costs a record of TLS and a call of the system. */
const gatheredBytes = 256 * 1024;

/** What the client is told. Waits for a client that reads slowly, so that no more than a message is in memory. */
export class LineOutput {
  readonly #socket: Duplex;
  readonly #signal: AbortSignal;
  readonly #idleMs: number;
  #parts: Uint8Array[] = [];
  #lengthBytes = 0;

  constructor(socket: Duplex, { signal, idleMs }: { readonly signal: AbortSignal; readonly idleMs: number }) {
    this.#socket = socket;
    this.#signal = signal;
    this.#idleMs = idleMs;
  }

  line(text: string): void {
    this.bytes(Buffer.from(`${text}\r\n`));
  }

  bytes(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#parts.push(bytes);
    this.#lengthBytes += bytes.length;
  }

  get isFull(): boolean {
    return this.#lengthBytes >= gatheredBytes;
  }

  /** Sends what was gathered. False once the client takes nothing more. */
  async flush(): Promise<boolean> {
    if (this.#socket.destroyed || !this.#socket.writable) return false;
    if (this.#lengthBytes === 0) return true;
    const [first = new Uint8Array()] = this.#parts;
    const whole = this.#parts.length === 1 ? first : Buffer.concat(this.#parts, this.#lengthBytes);
    this.#parts = [];
    this.#lengthBytes = 0;
    if (this.#socket.write(whole)) return true;
    return waitFor(this.#socket, { events: ["drain"], signal: this.#signal, limitMs: this.#idleMs });
  }
}
