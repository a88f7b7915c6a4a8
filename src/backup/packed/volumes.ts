import { createHash, type Hash } from "node:crypto";
import { Failure } from "../../base/index.ts";
import type { BlockReader } from "../../device/index.ts";
import { readChunks, unfinishedEnding, type BackupStore, type StoreWriter } from "../store/index.ts";

/** A file that was written, with its checksum. */
export interface WrittenFile {
  readonly name: string;
  readonly sizeBytes: number;
  readonly sha1: string;
}

/** `aa`, `ab`, … `zz`: as split(1) counts volumes. */
export function volumeSuffix(n: number): string {
  if (n >= 26 * 26) {
    throw new Failure("unsupported", "cannot write the backup: it takes more than 676 volumes", {
      hint: "give a larger --volume-size",
    });
  }
  const letter = (value: number): string => String.fromCharCode(0x61 + value);
  return letter(Math.floor(n / 26)) + letter(n % 26);
}

export interface VolumeWriterOptions {
  readonly store: BackupStore;
  readonly volumeBytes: number;
  readonly nameOf: (suffix: string) => string;
  readonly pathOf: (suffix: string) => string;
  /** Hears of each volume that is there for good. */
  readonly onCommitted?: (volume: WrittenFile) => Promise<void>;
}

/** Writes bytes into volumes of one size, each of which appears whole; the last one may be smaller. */
export class VolumeWriter implements AsyncDisposable {
  readonly #store: BackupStore;
  readonly #pathOf: (suffix: string) => string;
  readonly #nameOf: (suffix: string) => string;
  readonly #volumeBytes: number;
  readonly #onCommitted: (volume: WrittenFile) => Promise<void>;
  readonly #written: WrittenFile[] = [];
  #output: StoreWriter | undefined;
  #hash: Hash = createHash("sha1");
  #length = 0;

  constructor(options: VolumeWriterOptions) {
    this.#store = options.store;
    this.#volumeBytes = options.volumeBytes;
    this.#nameOf = options.nameOf;
    this.#pathOf = options.pathOf;
    this.#onCommitted = options.onCommitted ?? (async () => undefined);
  }

  /** Goes on behind volumes that are there, and so many bytes of the one that was begun. */
  static async resume(
    options: VolumeWriterOptions,
    written: readonly WrittenFile[],
    begunBytes: number,
  ): Promise<VolumeWriter> {
    const writer = new VolumeWriter(options);
    writer.#written.push(...written);
    if (begunBytes > 0) await writer.#goOn(begunBytes);
    return writer;
  }

  async #goOn(begunBytes: number): Promise<void> {
    const path = this.#pathOf(volumeSuffix(this.#written.length));
    this.#output = await this.#store.reopen?.(path, begunBytes);
    await using reader = await this.#store.open(path + unfinishedEnding);
    for await (const chunk of readChunks(reader)) this.#hash.update(chunk);
    this.#length = begunBytes;
  }

  /** Disposed, what was written of the last volume stays, where the store can go on with it. */
  keep(): void {
    this.#output?.keep?.();
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      if (this.#length === this.#volumeBytes) await this.#close();
      this.#output ??= await this.#store.create(this.#pathOf(volumeSuffix(this.#written.length)));
      const part = bytes.subarray(done, done + this.#volumeBytes - this.#length);
      const writing = this.#output.write(part);
      this.#hash.update(part);
      await writing;
      this.#length += part.length;
      done += part.length;
    }
  }

  /** Finishes the last volume. */
  async finish(): Promise<readonly WrittenFile[]> {
    if (this.#output !== undefined) await this.#close();
    return this.#written;
  }

  async #close(): Promise<void> {
    const suffix = volumeSuffix(this.#written.length);
    const output = this.#output;
    if (output === undefined) return;
    await output.commit();
    this.#output = undefined;
    await output[Symbol.asyncDispose]();
    const volume = { name: this.#nameOf(suffix), sizeBytes: this.#length, sha1: this.#hash.digest("hex") };
    this.#written.push(volume);
    this.#hash = createHash("sha1");
    this.#length = 0;
    await this.#onCommitted(volume);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#output?.[Symbol.asyncDispose]();
  }
}

/** A file of a store that is one volume of several. */
export interface Volume {
  readonly path: string;
  /** As the folder lists it. */
  readonly sizeBytes: number;
}

interface PlacedVolume extends Volume {
  readonly at: number;
  opened?: Promise<BlockReader>;
}

/** Volumes one after another as one, each opened when it is first read. */
export class VolumeReader implements BlockReader {
  readonly sizeBytes: number;
  readonly #store: BackupStore;
  readonly #volumes: readonly PlacedVolume[];

  constructor(store: BackupStore, volumes: readonly Volume[]) {
    let at = 0;
    this.#store = store;
    this.#volumes = volumes.map((volume) => {
      at += volume.sizeBytes;
      return { ...volume, at: at - volume.sizeBytes };
    });
    this.sizeBytes = at;
  }

  async read(at: number, into: Uint8Array): Promise<void> {
    const end = at + into.length;
    if (at < 0 || end > this.sizeBytes) {
      throw new Failure("damaged", `cannot reach byte ${at} of the volumes: they end at ${this.sizeBytes}`);
    }
    for (const volume of this.#volumes) {
      const from = Math.max(at, volume.at);
      const until = Math.min(end, volume.at + volume.sizeBytes);
      if (from >= until) continue;
      volume.opened ??= this.#store.open(volume.path);
      const reader = await volume.opened;
      await reader.read(from - volume.at, into.subarray(from - at, until - at));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { opened } of this.#volumes) {
      const reader = await opened?.catch(() => undefined); // whoever read has heard of it
      await reader?.[Symbol.asyncDispose]();
    }
  }
}
