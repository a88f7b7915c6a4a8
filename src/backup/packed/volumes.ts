import * as fs from "node:fs";
import { createHash, type Hash } from "node:crypto";
import { promisify } from "node:util";
import { Failure, isSystemError, OutputFile, systemReason } from "../../base/index.ts";
import { FileReader, type BlockReader } from "../../device/index.ts";

const writeAsync = promisify(fs.write);
const syncAsync = promisify(fs.fdatasync);
/** What is written reaches the disk in such pieces while the next one is made, and not all at the end. */
const syncedBytes = 128 * 1024 * 1024;

/** A file that was written, with its checksum. */
export interface WrittenFile {
  readonly name: string;
  readonly sizeBytes: number;
  readonly sha1: string;
}

/** `aa`, `ab`, … `zz`: as split(1) counts volumes. */
function volumeSuffix(n: number): string {
  if (n >= 26 * 26) {
    throw new Failure("unsupported", "cannot write the backup: it takes more than 676 volumes", {
      hint: "give a larger --volume-size",
    });
  }
  const letter = (value: number): string => String.fromCharCode(0x61 + value);
  return letter(Math.floor(n / 26)) + letter(n % 26);
}

/** Writes bytes into volumes of one size, each of which appears whole; the last one may be smaller. */
export class VolumeWriter implements AsyncDisposable {
  readonly #pathOf: (suffix: string) => string;
  readonly #nameOf: (suffix: string) => string;
  readonly #volumeBytes: number;
  readonly #written: WrittenFile[] = [];
  #output: OutputFile | undefined;
  #hash: Hash = createHash("sha1");
  #length = 0;
  #syncedLength = 0;
  #syncing: Promise<void> = Promise.resolve();

  constructor(options: {
    readonly volumeBytes: number;
    readonly nameOf: (suffix: string) => string;
    readonly pathOf: (suffix: string) => string;
  }) {
    this.#volumeBytes = options.volumeBytes;
    this.#nameOf = options.nameOf;
    this.#pathOf = options.pathOf;
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      if (this.#length === this.#volumeBytes) await this.#close();
      this.#output ??= OutputFile.create(this.#pathOf(volumeSuffix(this.#written.length)));
      const part = bytes.subarray(done, done + this.#volumeBytes - this.#length);
      const writing = writeWhole(this.#output, part, this.#length);
      this.#hash.update(part);
      await writing;
      this.#length += part.length;
      done += part.length;
      if (this.#length - this.#syncedLength >= syncedBytes) await this.#startSync(this.#output);
    }
  }

  /** One at a time: a target slower than what is made for it is waited for here. */
  async #startSync(output: OutputFile): Promise<void> {
    await this.#syncing;
    this.#syncedLength = this.#length;
    this.#syncing = syncAsync(output.fd).catch((error: unknown) => {
      throw writeFailure(output, error);
    });
    this.#syncing.catch(() => undefined); // heard of when it is waited for
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
    await this.#syncing;
    output.commit();
    fs.closeSync(output.fd);
    this.#output = undefined;
    this.#written.push({ name: this.#nameOf(suffix), sizeBytes: this.#length, sha1: this.#hash.digest("hex") });
    this.#hash = createHash("sha1");
    this.#length = 0;
    this.#syncedLength = 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#syncing.catch(() => undefined);
    await this.#output?.[Symbol.asyncDispose]();
  }
}

async function writeWhole(output: OutputFile, bytes: Uint8Array, at: number): Promise<void> {
  try {
    for (let done = 0; done < bytes.length;) {
      done += (await writeAsync(output.fd, bytes, done, bytes.length - done, at + done)).bytesWritten;
    }
  } catch (error) {
    throw writeFailure(output, error);
  }
}

function writeFailure({ target }: OutputFile, error: unknown): Failure {
  const code = isSystemError(error, "ENOSPC", "EDQUOT", "EFBIG") ? "no-space" : "failed";
  return new Failure(code, `cannot write "${target}": ${systemReason(error)}`, { cause: error });
}

/** Volumes one after another as one. It owns their readers. */
export class VolumeReader implements BlockReader {
  readonly sizeBytes: number;
  readonly #volumes: readonly { readonly at: number; readonly reader: FileReader }[];

  private constructor(readers: readonly FileReader[]) {
    let at = 0;
    this.#volumes = readers.map((reader) => {
      at += reader.sizeBytes;
      return { at: at - reader.sizeBytes, reader };
    });
    this.sizeBytes = at;
  }

  static async open(paths: readonly string[]): Promise<VolumeReader> {
    await using stack = new AsyncDisposableStack();
    const readers: FileReader[] = [];
    for (const path of paths) readers.push(stack.use(await FileReader.open(path)));
    stack.move();
    return new VolumeReader(readers);
  }

  async read(at: number, into: Uint8Array): Promise<void> {
    const end = at + into.length;
    if (at < 0 || end > this.sizeBytes) {
      throw new Failure("damaged", `cannot reach byte ${at} of the volumes: they end at ${this.sizeBytes}`);
    }
    for (const { at: start, reader } of this.#volumes) {
      const from = Math.max(at, start);
      const until = Math.min(end, start + reader.sizeBytes);
      if (from < until) await reader.read(from - start, into.subarray(from - at, until - at));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { reader } of this.#volumes) await reader[Symbol.asyncDispose]();
  }
}
