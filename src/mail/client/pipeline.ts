import type { ByteReader } from "./byte-reader.ts";
import { Refusal } from "./refusal.ts";

interface Expected {
  readonly read: (reader: ByteReader) => Promise<void>;
  readonly fail: (error: unknown) => void;
}

/** Answers come in the order of the commands: each is read by whoever waits for it, and nobody else. */
export class Pipeline {
  readonly #reader: ByteReader;
  readonly #expected: Expected[] = [];
  #isReading = false;
  #failed: { readonly error: Error } | undefined;

  constructor(reader: ByteReader) {
    this.#reader = reader;
  }

  /**
   * Reads one answer once all before it are read. After a refusal the next one is
   * read; after any other failure all fail the same way.
   */
  next<Answer>(read: (reader: ByteReader) => Promise<Answer>): Promise<Answer> {
    const failed = this.#failed;
    if (failed !== undefined) return Promise.reject(failed.error);
    return new Promise((resolve, reject) => {
      this.#expected.push({ read: async (reader) => resolve(await read(reader)), fail: reject });
      if (!this.#isReading) void this.#readAll();
    });
  }

  async #readAll(): Promise<void> {
    this.#isReading = true;
    for (let one = this.#expected[0]; one !== undefined; one = this.#expected[0]) {
      try {
        await one.read(this.#reader);
        this.#expected.shift();
      } catch (error) {
        if (error instanceof Refusal) {
          this.#expected.shift()?.fail(error);
          continue;
        }
        this.#failed = { error: error instanceof Error ? error : new Error(String(error)) };
        for (const waiting of this.#expected.splice(0)) waiting.fail(error);
      }
    }
    this.#isReading = false;
  }
}
