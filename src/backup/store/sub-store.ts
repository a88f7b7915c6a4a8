import type { BlockReader } from "../../device/index.ts";
import { nameIn, pathIn, type BackupStore, type StoredItem, type StoreWriter } from "./backup-store.ts";

/** A folder of a store as a store of its own: it borrows, disposing of it closes nothing. */
export class SubStore implements BackupStore {
  readonly #inner: BackupStore;
  readonly #folder: string;

  constructor(inner: BackupStore, folder: string) {
    this.#inner = inner;
    this.#folder = folder;
  }

  get name(): string {
    return nameIn(this.#inner, this.#folder);
  }

  list(folder: string): Promise<readonly StoredItem[]> {
    return this.#inner.list(this.#at(folder));
  }

  find(path: string): Promise<StoredItem | undefined> {
    return this.#inner.find(this.#at(path));
  }

  open(path: string): Promise<BlockReader> {
    return this.#inner.open(this.#at(path));
  }

  makeFolder(path: string): Promise<void> {
    return this.#inner.makeFolder(this.#at(path));
  }

  create(path: string): Promise<StoreWriter> {
    return this.#inner.create(this.#at(path));
  }

  get reopen(): BackupStore["reopen"] {
    const reopen = this.#inner.reopen?.bind(this.#inner);
    return reopen === undefined ? undefined : (path, keptBytes) => reopen(this.#at(path), keptBytes);
  }

  put(path: string, bytes: Uint8Array): Promise<void> {
    return this.#inner.put(this.#at(path), bytes);
  }

  flush(folder: string): Promise<void> {
    return this.#inner.flush(this.#at(folder));
  }

  rename(from: string, to: string): Promise<void> {
    return this.#inner.rename(this.#at(from), this.#at(to));
  }

  remove(path: string): Promise<void> {
    return this.#inner.remove(this.#at(path));
  }

  freeBytes(): Promise<number | undefined> {
    return this.#inner.freeBytes();
  }

  largestFileBytes(): Promise<number | undefined> {
    return this.#inner.largestFileBytes();
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #at(path: string): string {
    return path === "" ? this.#folder : pathIn(this.#folder, path);
  }
}
