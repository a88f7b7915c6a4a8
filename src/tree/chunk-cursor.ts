/**
 * A place in a stream of chunks from which records are taken whole. A chunk belongs to its maker again once the
 * next one is asked for; so whatever views into it were handed out have to be done with before `ensure` or
 * `skip` is called.
 */
export class ChunkCursor {
  /** The bytes at hand; those from `at` on are still to be read. */
  buffer: Buffer = Buffer.alloc(0);
  at = 0;
  /** How many bytes of the stream lie before `buffer`. */
  #before = 0;
  /** What follows a record that was put together across chunks. */
  #rest: Buffer | undefined;
  readonly #chunks: AsyncIterator<Uint8Array>;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** The place in the stream, for messages. */
  get position(): number {
    return this.#before + this.at;
  }

  get available(): number {
    this.#enterRest();
    return this.buffer.length - this.at;
  }

  /** True if that many bytes lie together in `buffer` from `at` on. */
  has(lengthBytes: number): boolean {
    return this.available >= lengthBytes;
  }

  /** Brings that many bytes together; false where the stream ends before. */
  async ensure(lengthBytes: number): Promise<boolean> {
    if (this.has(lengthBytes)) return true;
    const start = this.position;
    const pieces: Buffer[] = [];
    let length = 0;
    while (length < lengthBytes && (this.available > 0 || (await this.#advance()))) {
      // Copied at once: asking for the next chunk gives this one back.
      const piece = Buffer.from(this.#takeUpTo(lengthBytes - length));
      pieces.push(piece);
      length += piece.length;
    }
    const rest = this.buffer.subarray(this.at);
    this.buffer = Buffer.concat(pieces, length);
    this.at = 0;
    this.#before = start;
    if (rest.length > 0) this.#rest = rest;
    return length >= lengthBytes;
  }

  /** Passes that many bytes by; false where the stream ends before. */
  async skip(lengthBytes: number): Promise<boolean> {
    for (let left = lengthBytes; ;) {
      const step = Math.min(left, this.available);
      this.at += step;
      left -= step;
      if (left === 0) return true;
      if (this.available === 0 && !(await this.#advance())) return false;
    }
  }

  /** Some bytes, at least one and at most that many; none at the end. Valid until the next call. */
  async some(limitBytes: number): Promise<Buffer> {
    while (this.available === 0) if (!(await this.#advance())) break;
    return this.#takeUpTo(limitBytes);
  }

  /** Gives the stream up. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  #takeUpTo(lengthBytes: number): Buffer {
    this.#enterRest();
    const piece = this.buffer.subarray(this.at, this.at + lengthBytes);
    this.at += piece.length;
    return piece;
  }

  #enterRest(): void {
    if (this.at < this.buffer.length || this.#rest === undefined) return;
    this.#before += this.buffer.length;
    this.buffer = this.#rest;
    this.at = 0;
    this.#rest = undefined;
  }

  async #advance(): Promise<boolean> {
    const next = await this.#chunks.next();
    if (next.done === true) return false;
    this.#before += this.buffer.length;
    const chunk = next.value;
    this.buffer = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    this.at = 0;
    return true;
  }
}
