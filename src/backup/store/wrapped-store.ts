import type { BlockReader } from "../../device/index.ts";
import type { BackupStore, StoredItem, StoreWriter } from "./backup-store.ts";

/** A store that does what another one does: behaviour is added by what a class on top of it overrides. */
export class WrappedStore implements BackupStore {
  protected readonly inner: BackupStore;

  constructor(inner: BackupStore) {
    this.inner = inner;
  }

  get name(): string {
    return this.inner.name;
  }

  list(folder: string): Promise<readonly StoredItem[]> {
    return this.inner.list(folder);
  }

  find(path: string): Promise<StoredItem | undefined> {
    return this.inner.find(path);
  }

  open(path: string): Promise<BlockReader> {
    return this.inner.open(path);
  }

  makeFolder(path: string): Promise<void> {
    return this.inner.makeFolder(path);
  }

  create(path: string): Promise<StoreWriter> {
    return this.inner.create(path);
  }

  put(path: string, bytes: Uint8Array): Promise<void> {
    return this.inner.put(path, bytes);
  }

  flush(folder: string): Promise<void> {
    return this.inner.flush(folder);
  }

  rename(from: string, to: string): Promise<void> {
    return this.inner.rename(from, to);
  }

  remove(path: string): Promise<void> {
    return this.inner.remove(path);
  }

  freeBytes(): Promise<number | undefined> {
    return this.inner.freeBytes();
  }

  largestFileBytes(): Promise<number | undefined> {
    return this.inner.largestFileBytes();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.inner[Symbol.asyncDispose]();
  }
}
