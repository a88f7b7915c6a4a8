import * as fs from "node:fs";
import * as path from "node:path";
import { Failure } from "../../base/index.ts";
import type { BlockReader } from "../../device/index.ts";
import { openFrames, packFrames } from "../packed/index.ts";
import type { Piece } from "../partclone/index.ts";
import type { ContentCache } from "./content-cache.ts";
import { plainChunks } from "./plain-chunks.ts";

/** A content that can only be read from its beginning to its end. */
export interface OnceReadable {
  /** What tells it from all others. */
  readonly key: string;
  /** For messages. */
  readonly name: string;
  readonly packedBytes: number;
  readonly open: () => Promise<OpenedOnce>;
  /** Hears how much room the unpacked content takes, or that it could not be unpacked. It is waited for. */
  readonly onMade: (takenBytes: number | undefined) => Promise<void>;
}

export interface OpenedOnce extends AsyncDisposable {
  /** How long it is at the least, wherever the last piece ends. */
  readonly leastBytes: number;
  readonly batches: AsyncIterable<readonly Piece[]>;
}

/** A content to be read anywhere: as the cache has it, or unpacked into the cache now. */
export async function openCached(cache: ContentCache, content: OnceReadable): Promise<BlockReader> {
  const known = await openKnown(cache, content.key);
  return new CachedReader(cache, content, known ?? (await make(cache, content)));
}

/** What was damaged is made anew. */
async function openKnown(cache: ContentCache, key: string): Promise<BlockReader | undefined> {
  const file = cache.find(key);
  if (file === undefined) return undefined;
  try {
    return await openFrames(file);
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

async function make(cache: ContentCache, content: OnceReadable): Promise<BlockReader> {
  const { key, name, packedBytes } = content;
  let takenBytes: number | undefined;
  try {
    const file = await cache.make(key, { name, leastBytes: packedBytes }, async (write) => {
      await using source = await content.open();
      await packFrames(plainChunks(source.batches, source.leastBytes), write);
    });
    const reader = await openFrames(file);
    takenBytes = fs.statSync(file).size;
    // An open file can be read although it has no name any more.
    if (!cache.isKept) fs.rmSync(path.dirname(file), { recursive: true, force: true });
    return reader;
  } finally {
    await content.onMade(takenBytes);
  }
}

/** The cache may be damaged where only a later read comes upon it: it is made anew, once. */
class CachedReader implements BlockReader {
  readonly sizeBytes: number;
  readonly #cache: ContentCache;
  readonly #content: OnceReadable;
  #reader: Promise<BlockReader>;
  #isMadeAnew = false;

  constructor(cache: ContentCache, content: OnceReadable, reader: BlockReader) {
    this.sizeBytes = reader.sizeBytes;
    this.#cache = cache;
    this.#content = content;
    this.#reader = Promise.resolve(reader);
  }

  async read(at: number, into: Uint8Array): Promise<void> {
    const opened = this.#reader;
    const reader = await opened;
    try {
      return await reader.read(at, into);
    } catch (error) {
      const isInside = at >= 0 && at + into.length <= this.sizeBytes;
      if (!isInside || !(error instanceof Failure) || error.code !== "damaged") throw error;
      if (opened === this.#reader) {
        if (this.#isMadeAnew) throw error;
        this.#isMadeAnew = true;
        this.#reader = this.#makeAnew(reader);
      }
    }
    await (await this.#reader).read(at, into);
  }

  async #makeAnew(damaged: BlockReader): Promise<BlockReader> {
    await damaged[Symbol.asyncDispose]();
    const reader = await make(this.#cache, this.#content);
    if (reader.sizeBytes === this.sizeBytes) return reader;
    await reader[Symbol.asyncDispose]();
    throw new Failure("damaged", `cannot read "${this.#content.name}": it has changed while it was read`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const [opened] = await Promise.allSettled([this.#reader]);
    if (opened.status === "fulfilled") await opened.value[Symbol.asyncDispose]();
  }
}
