import { Failure, stopIfAborted, type JobOptions } from "../../base/index.ts";
import { ChunkCursor, decompress, isCpioMagic, readCpio, type CpioFile } from "../../tree/index.ts";
import type { HostFileSystem } from "./boot-entry.ts";
import { Clues } from "./clues.ts";
import type { Convention } from "./conventions.ts";

/** What the files of an initrd tell. */
export interface InitrdFindings {
  /** How it finds an ISO file; undefined where nothing tells. */
  readonly convention: Convention | undefined;
  readonly fileSystems: readonly HostFileSystem[];
  /** The name of the file in which it keeps changes, where it has one of its own for that. */
  readonly changesName: string | undefined;
  /** Whether what was not found is not there. */
  readonly isWhole: boolean;
  /** Whether any file was seen. */
  readonly isOpen: boolean;
  /** What a user may want to know of how it was read. */
  readonly notes: readonly string[];
}

/** As far as initrds are looked through, packed and unpacked bytes together: the largest that only start a system have some hundred MB. */
export const initrdLimits = { unpackedBytes: 768 * 1024 * 1024, files: 200_000 };
/** Lists of modules are read up to this size. */
const listLimitBytes = 1024 * 1024;
/** Between archives stand zeros, up to a block of a device as tools fill them up. */
const paddingLimitBytes = 1024 * 1024;
const unknownMagics: readonly (readonly [RegExp, string])[] = [
  [/^5d0000/, "lzma"],
  [/^894c5a4f/, "lzo"],
];

/** Looks at the names in the initrds of one system, as far as is needed. */
export class InitrdReader {
  readonly #options: JobOptions;
  /** For messages. */
  #name = "";
  readonly #clues = new Clues();
  readonly #notes: string[] = [];
  readonly #limits: typeof initrdLimits;
  #doneBytes = 0;
  #files = 0;
  /** Archives of the initrd at hand that were read to their end. */
  #archives = 0;
  #isInArchive = false;
  #isWhole = true;

  constructor(options: JobOptions, limits = initrdLimits) {
    this.#options = options;
    this.#limits = limits;
  }

  /** Reads one more, whose bytes these are. Damage is not thrown: what came before it counts. */
  async read(chunks: AsyncIterable<Uint8Array>, name: string): Promise<void> {
    this.#name = name;
    this.#archives = 0;
    this.#isInArchive = false;
    if (this.#clues.areComplete) return;
    try {
      if (!(await this.#archivesOf(chunks, "plain"))) this.#isWhole = false;
    } catch (error) {
      if (!(error instanceof Failure) || error.code === "interrupted") throw error;
      // Behind a whole archive may stand what no decoder knows: it is of no use to Linux either.
      if (this.#archives > 0 && !this.#isInArchive) return;
      this.#isWhole = false;
      this.#notes.push(error.message);
    }
  }

  findings(): InitrdFindings {
    return {
      convention: this.#clues.convention(),
      fileSystems: this.#clues.fileSystems(),
      changesName: this.#clues.changesName,
      isWhole: this.#isWhole || this.#clues.areComplete,
      isOpen: this.#files > 0,
      notes: this.#notes,
    };
  }

  /**
   * As Linux unpacks it: archives one after the other, plain ones first (microcode), then what is compressed, which
   * holds archives again. True where the end was come to.
   */
  async #archivesOf(chunks: AsyncIterable<Uint8Array>, format: string): Promise<boolean> {
    const cursor = new ChunkCursor(this.#counted(chunks));
    try {
      while (await skipZeros(cursor)) {
        await cursor.ensure(6);
        const magic = cursor.buffer.subarray(cursor.at, cursor.at + 6);
        if (isCpioMagic(magic)) {
          if (!(await this.#archive(cursor))) return false;
        } else if (format === "plain") {
          return await this.#compressed(cursor, magic);
        } else {
          return true; // behind the archives, something for others
        }
      }
      return true;
    } finally {
      await cursor.close();
    }
  }

  async #compressed(cursor: ChunkCursor, magic: Uint8Array): Promise<boolean> {
    this.#archives = 0; // those before were microcode
    const hex = Buffer.from(magic).toString("hex");
    const unknown = unknownMagics.find(([pattern]) => pattern.test(hex))?.[1];
    if (unknown !== undefined) {
      throw new Failure("unsupported", `cannot look into "${this.#name}": it is compressed by ${unknown}`);
    }
    const { format, chunks } = await decompress(restOf(cursor), this.#name).catch((error: unknown) => {
      if (!(error instanceof Failure) || error.code !== "unsupported") throw error;
      throw new Failure("unsupported", `cannot look into "${this.#name}": it is compressed by bzip2`, { cause: error });
    });
    if (format === "plain") {
      throw new Failure(
        "unsupported",
        `cannot look into "${this.#name}": it is neither cpio nor compressed as known here`,
      );
    }
    return this.#archivesOf(chunks, format);
  }

  /** True unless all is known, or limits are met. */
  async #archive(cursor: ChunkCursor): Promise<boolean> {
    this.#isInArchive = true;
    for await (const file of readCpio(cursor)) {
      stopIfAborted(this.#options.signal);
      this.#clues.addPath(file.path);
      if (isModuleList(file)) this.#clues.addModuleList((await file.content()).toString("latin1"));
      if (isCasperScript(file)) this.#clues.addCasperScript((await file.content()).toString("latin1"));
      if (this.#clues.areComplete) return false;
      if (++this.#files < this.#limits.files) continue;
      this.#notes.push(`of "${this.#name}" only the first ${this.#files} files were looked at`);
      return false;
    }
    this.#isInArchive = false;
    this.#archives++;
    return true;
  }

  async *#counted(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
    for await (const chunk of chunks) {
      stopIfAborted(this.#options.signal);
      this.#doneBytes += chunk.length;
      if (this.#doneBytes > this.#limits.unpackedBytes) {
        throw new Failure("unsupported", `cannot look at all of "${this.#name}": it unpacks to more than is looked at`);
      }
      yield chunk;
    }
  }
}

function isModuleList({ path, sizeBytes }: CpioFile): boolean {
  return path.endsWith("/modules.builtin") && sizeBytes <= listLimitBytes;
}

function isCasperScript({ path, sizeBytes }: CpioFile): boolean {
  return /(?:^|\/)scripts\/casper$/.test(path) && sizeBytes <= listLimitBytes;
}

/** False at the end of the stream. */
async function skipZeros(cursor: ChunkCursor): Promise<boolean> {
  for (let skipped = 0; skipped <= paddingLimitBytes; skipped++) {
    if (!(await cursor.ensure(1))) return false;
    if (cursor.buffer[cursor.at] !== 0) return true;
    cursor.at++;
  }
  return false;
}

async function* restOf(cursor: ChunkCursor): AsyncGenerator<Uint8Array, void, void> {
  const limitBytes = 256 * 1024;
  for (;;) {
    const some = await cursor.some(limitBytes);
    if (some.length === 0) return;
    yield some;
  }
}
