import { refuseOutside, type BlockReader } from "../../../device/index.ts";
import { unfinishedEnding, type StoredItem, type StoreWriter } from "../backup-store.ts";
import type { SmbThread } from "./smb-thread.ts";

/** A file that is open there. */
export interface SmbFile {
  readonly name: string;
  readonly call: <T>(action: string, work: (thread: SmbThread, fd: number) => Promise<T>) => Promise<T>;
}

export class SmbReader implements BlockReader {
  readonly sizeBytes: number;
  readonly #file: SmbFile;

  constructor(file: SmbFile, sizeBytes: number) {
    this.#file = file;
    this.sizeBytes = sizeBytes;
  }

  async read(at: number, into: Uint8Array): Promise<void> {
    refuseOutside(this.#file.name, this.sizeBytes, at, into.length);
    if (into.length === 0) return;
    const bytes = await this.#file.call("read", (thread, fd) => thread.call("read", fd, at, into.length));
    if (bytes.length < into.length) refuseOutside(this.#file.name, at + bytes.length, at, into.length);
    into.set(bytes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.call("close", (thread, fd) => thread.call("close", fd)).catch(() => undefined); // was read only
  }
}

/** What a writer needs of the store. */
interface Around {
  readonly find: (path: string) => Promise<StoredItem | undefined>;
  readonly open: (path: string) => Promise<SmbFile>;
  readonly remove: (path: string) => Promise<void>;
  readonly rename: (from: string, to: string) => Promise<void>;
}

/** Written beside its name, and renamed to it. */
export class SmbWriter implements StoreWriter {
  readonly #path: string;
  readonly #around: Around;
  readonly #file: SmbFile;
  #isClosed = false;
  #isOver = false;

  private constructor(path: string, around: Around, file: SmbFile) {
    this.#path = path;
    this.#around = around;
    this.#file = file;
  }

  /** What a run that was cut off has left under the unfinished name is removed. */
  static async create(path: string, around: Around): Promise<SmbWriter> {
    const part = path + unfinishedEnding;
    if ((await around.find(part)) !== undefined) await around.remove(part);
    return new SmbWriter(path, around, await around.open(part));
  }

  async write(bytes: Uint8Array): Promise<void> {
    const copy = Uint8Array.from(bytes); // it changes hands
    await this.#do((thread, fd) => thread.call("write", fd, copy));
  }

  async commit(): Promise<void> {
    await this.#close();
    await this.#around.rename(this.#path + unfinishedEnding, this.#path);
    this.#isOver = true;
  }

  async #close(): Promise<void> {
    this.#isClosed = true;
    await this.#do((thread, fd) => thread.call("close", fd));
  }

  async #do(work: (thread: SmbThread, fd: number) => Promise<void>): Promise<void> {
    await this.#file.call("write", work);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isOver) return;
    // What has failed before is what the user has to hear.
    if (!this.#isClosed) await this.#close().catch(() => undefined);
    await this.#around.remove(this.#path + unfinishedEnding).catch(() => undefined);
  }
}
