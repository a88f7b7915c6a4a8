import { setTimeout } from "node:timers/promises";
import { Failure } from "../../base/index.ts";
import type { BlockReader } from "../../device/index.ts";
import { nameIn, type BackupStore, type StoredItem } from "./backup-store.ts";
import { ConnectionLost } from "./connection-lost.ts";
import { WrappedStore } from "./wrapped-store.ts";

/** How long is waited before each further try. */
export const usualWaitsMs: readonly number[] = [250, 1000, 3000];

/**
 * Reads again what a lost connection broke off, a few times and each time after a longer while. What writes is tried once,
 * but for removing: whether a lost write was done cannot be known.
 */
export class RetryingStore extends WrappedStore {
  readonly #waitsMs: readonly number[];

  constructor(inner: BackupStore, waitsMs = usualWaitsMs) {
    super(inner);
    this.#waitsMs = waitsMs;
  }

  override list(folder: string): Promise<readonly StoredItem[]> {
    return this.#try(() => this.inner.list(folder));
  }

  override find(path: string): Promise<StoredItem | undefined> {
    return this.#try(() => this.inner.find(path));
  }

  override remove(path: string): Promise<void> {
    return this.#try(() => this.inner.remove(path));
  }

  override async open(path: string): Promise<BlockReader> {
    const open = (): Promise<BlockReader> => this.inner.open(path);
    return new RetryingReader(await this.#try(open), { open, name: nameIn(this, path), waitsMs: this.#waitsMs });
  }

  async #try<T>(work: () => Promise<T>): Promise<T> {
    return tryAgain(this.#waitsMs, work);
  }
}

/** Does something again, after a while each time, where the connection was lost. */
export async function tryAgain<T>(waitsMs: readonly number[], work: () => Promise<T>): Promise<T> {
  for (const waitMs of waitsMs) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof ConnectionLost)) throw error;
      await setTimeout(waitMs);
    }
  }
  return await work();
}

interface Reopening {
  readonly open: () => Promise<BlockReader>;
  readonly name: string;
  readonly waitsMs: readonly number[];
}

class RetryingReader implements BlockReader {
  readonly sizeBytes: number;
  readonly #how: Reopening;
  #reader: BlockReader;
  /** What several reads that failed at a time wait for. */
  #reopening: Promise<BlockReader> | undefined;

  constructor(reader: BlockReader, how: Reopening) {
    this.sizeBytes = reader.sizeBytes;
    this.#reader = reader;
    this.#how = how;
  }

  async read(at: number, into: Uint8Array): Promise<void> {
    const first = this.#reader;
    try {
      return await first.read(at, into);
    } catch (error) {
      if (!(error instanceof ConnectionLost)) throw error;
    }
    let used = first;
    await tryAgain(this.#how.waitsMs, async () => {
      used = await this.#anew(used);
      await used.read(at, into);
    });
  }

  /** The reader in use, opened again unless that was done since `failed` was. */
  #anew(failed: BlockReader): Promise<BlockReader> {
    if (this.#reader !== failed) return Promise.resolve(this.#reader);
    this.#reopening ??= this.#reopen().finally(() => {
      this.#reopening = undefined;
    });
    return this.#reopening;
  }

  async #reopen(): Promise<BlockReader> {
    const reader = await this.#how.open();
    if (reader.sizeBytes !== this.sizeBytes) {
      await reader[Symbol.asyncDispose]();
      throw new Failure("mismatch", `cannot go on reading "${this.#how.name}": it has changed meanwhile`);
    }
    await this.#reader[Symbol.asyncDispose]();
    this.#reader = reader;
    return reader;
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#reader[Symbol.asyncDispose]();
  }
}
