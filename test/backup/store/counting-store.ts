import { WrappedStore, type BackupStore } from "../../../src/backup/store/index.ts";
import { SliceReader, type BlockReader } from "../../../src/device/index.ts";

/** How much was read of a store's files. */
export interface Counted {
  bytes: number;
}

/** Counts what is read of its files. */
export class CountingStore extends WrappedStore {
  readonly #counted: Counted;

  constructor(inner: BackupStore, counted: Counted) {
    super(inner);
    this.#counted = counted;
  }

  override async open(path: string): Promise<BlockReader> {
    return new CountingReader(await super.open(path), this.#counted);
  }
}

class CountingReader extends SliceReader {
  readonly #reader: BlockReader;
  readonly #counted: Counted;

  constructor(reader: BlockReader, counted: Counted) {
    super(reader, 0, reader.sizeBytes);
    this.#reader = reader;
    this.#counted = counted;
  }

  override async read(at: number, into: Uint8Array): Promise<void> {
    await super.read(at, into);
    this.#counted.bytes += into.length;
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader[Symbol.asyncDispose]();
  }
}
