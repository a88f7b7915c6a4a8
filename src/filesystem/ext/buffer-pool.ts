/** How much of a file is read at once. */
export const pieceLimitBytes = 4 * 1024 * 1024;
const keptBuffers = 4;

/** Buffers for pieces of large files, used again from file to file: a fresh one costs the time to clear it. */
export class BufferPool {
  readonly #free: Uint8Array[] = [];

  take(): Uint8Array {
    return this.#free.pop() ?? new Uint8Array(pieceLimitBytes);
  }

  giveBack(buffer: Uint8Array): void {
    if (this.#free.length < keptBuffers) this.#free.push(buffer);
  }
}
