import type { JobOptions } from "../../base/index.ts";

/** Adds up the bytes of files that come in side by side, and reports them as one work. */
export class ByteTally {
  readonly #phase: string;
  readonly #job: JobOptions;
  #doneBytes = 0;
  #totalBytes = 0;

  constructor(phase: string, job: JobOptions) {
    this.#phase = phase;
    this.#job = job;
  }

  /** So many bytes will come. */
  expect(count: number): void {
    this.#totalBytes += count;
  }

  /** So many have come; negative where some turned out to be wrong. */
  add(count: number): void {
    this.#doneBytes += count;
    this.#job.onProgress?.({ phase: this.#phase, doneBytes: this.#doneBytes, totalBytes: this.#totalBytes });
  }
}
