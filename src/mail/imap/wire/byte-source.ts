import type { Readable } from "node:stream";

// A line that comes in single bytes is put together now and then: each chunk of a stream costs some hundred bytes.
const mostChunks = 64;

/** Bytes from a stream, as many as are asked for; what is not asked for stays in the stream, and the peer has to wait. */
export class ByteSource {
  #stream: Readable;
  #pending: Buffer = Buffer.alloc(0);
  #isEnded = false;
  #wake: (() => void) | undefined;

  constructor(stream: Readable) {
    this.#stream = stream;
    this.#listen(stream);
  }

  /**
   * A line without its end. `too-long` once the rest of it was thrown away; undefined at the end of the stream, and for
   * a line of which more than `mostDiscarded` would have to be thrown away.
   */
  async line(mostBytes: number, mostDiscarded: number): Promise<Buffer | "too-long" | undefined> {
    let parts: Buffer[] = [];
    let size = 0;
    for (;;) {
      const end = this.#pending.indexOf(0x0a);
      const part = end === -1 ? this.#pending : this.#pending.subarray(0, end);
      size += part.length;
      if (size > mostBytes + mostDiscarded) return undefined;
      if (size <= mostBytes) parts.push(part);
      if (end !== -1) {
        this.#pending = this.#pending.subarray(end + 1);
        break;
      }
      if (parts.length > mostChunks) parts = [Buffer.concat(parts)];
      this.#pending = Buffer.alloc(0);
      if (!(await this.#more())) return undefined;
    }
    if (size > mostBytes) return "too-long";
    const line = parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
    return line.at(-1) === 0x0d ? line.subarray(0, -1) : line;
  }

  /** Exactly so many bytes, in memory of their own; undefined where the stream ends before. */
  async bytes(count: number): Promise<Buffer | undefined> {
    // Pages of it that nothing was written to are not there yet: a peer that announces much has not taken it.
    const bytes = Buffer.allocUnsafeSlow(count);
    let filled = 0;
    while (filled < count) {
      if (this.#pending.length === 0 && !(await this.#more())) return undefined;
      const taken = this.#pending.copy(bytes, filled, 0, count - filled);
      this.#pending = this.#pending.subarray(taken);
      filled += taken;
    }
    return bytes;
  }

  /** Throws bytes away; whether there were so many. */
  async skip(count: number): Promise<boolean> {
    let left = count;
    while (left > 0) {
      if (this.#pending.length === 0 && !(await this.#more())) return false;
      const taken = Math.min(left, this.#pending.length);
      this.#pending = this.#pending.subarray(taken);
      left -= taken;
    }
    return true;
  }

  /** From here on the bytes are what `through` makes of those of the stream; what was already read goes into it. */
  continueThrough(through: Readable & NodeJS.WritableStream): void {
    const [before, stream] = [this.#pending, this.#stream];
    this.#pending = Buffer.alloc(0);
    stream.removeAllListeners("readable");
    if (before.length > 0) through.write(before);
    stream.pipe(through);
    this.#stream = through;
    this.#listen(through);
  }

  #listen(stream: Readable): void {
    const wake = (): void => this.#wake?.();
    const end = (): void => {
      this.#isEnded = true;
      wake();
    };
    stream.on("readable", wake).on("end", end).on("close", end).on("error", end);
  }

  async #more(): Promise<boolean> {
    for (;;) {
      const chunk: unknown = this.#stream.read();
      if (Buffer.isBuffer(chunk)) {
        this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
        return true;
      }
      if (this.#isEnded) return false;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
  }
}
