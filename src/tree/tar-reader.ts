import { Failure } from "../base/index.ts";
import type { AccountLookup } from "./acl-text.ts";
import { ChunkCursor } from "./chunk-cursor.ts";
import type { DataPiece, TreeEntry, TreeSource } from "./entry.ts";
import { isZeroBlock, tarBlockBytes } from "./tar-header.ts";
import { paddedBytes, type StoredContent, TarParser } from "./tar-parser.ts";

const drainBytes = 1024 * 1024;

export interface TarReaderOptions {
  /** For messages. */
  readonly name: string;
  /** How much there is to read, where that is known. */
  readonly totalBytes?: number;
  /** Numbers for the names in ACLs. Without it a tar whose ACLs hold names cannot be read. */
  readonly idOf?: AccountLookup;
  /** Is awaited when the reader is disposed of. */
  readonly close?: () => Promise<void>;
}

/**
 * A tar as a tree, read once from front to end; v7, ustar, pax and GNU's forms by turns. The bytes of a chunk
 * belong to its maker again once the next one is asked for.
 */
export class TarReader implements TreeSource {
  readonly name: string;
  readonly totalBytes?: number;
  readonly #chunks: AsyncIterable<Uint8Array>;
  readonly #idOf: AccountLookup;
  readonly #close: (() => Promise<void>) | undefined;

  constructor(chunks: AsyncIterable<Uint8Array>, options: TarReaderOptions) {
    this.name = options.name;
    if (options.totalBytes !== undefined) this.totalBytes = options.totalBytes;
    this.#chunks = chunks;
    this.#idOf = options.idOf ?? (() => undefined);
    this.#close = options.close;
  }

  async *entries(): AsyncGenerator<readonly TreeEntry[], void, void> {
    const cursor = new ChunkCursor(this.#chunks);
    const parser = new TarParser(this.#idOf);
    try {
      for (;;) {
        const batch: TreeEntry[] = [];
        const step = this.#step(parser, cursor, batch);
        if (step.kind === "stream") {
          const content = new StreamedContent(cursor, step.stored, this.name);
          yield [...batch, { ...step.entry, content }];
          await content.giveUp();
          continue;
        }
        if (batch.length > 0) yield batch;
        if (step.kind === "end") return await this.#finish(cursor);
        if (step.kind === "need") await this.#ensure(cursor, step.lengthBytes);
        else if (!(await cursor.skip(step.lengthBytes))) throw truncated(this.name, cursor.position);
      }
    } finally {
      await cursor.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close?.();
  }

  #step(parser: TarParser, cursor: ChunkCursor, batch: TreeEntry[]): ReturnType<TarParser["step"]> {
    try {
      return parser.step(cursor, batch);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      const message = `cannot read "${this.name}", header at byte ${cursor.position}: ${error.message}`;
      throw new Failure(error.code, message, {
        cause: error,
        ...(error.hint === undefined ? {} : { hint: error.hint }),
      });
    }
  }

  async #ensure(cursor: ChunkCursor, lengthBytes: number): Promise<void> {
    const before = cursor.available;
    if (await cursor.ensure(lengthBytes)) return;
    // The parser may have asked for more than it needs: it looks again as long as there is something new.
    if (cursor.available === before) throw truncated(this.name, cursor.position + before);
  }

  /** A zero block ends the tar. The rest is read, so that what was compressed is checked to its end. */
  async #finish(cursor: ChunkCursor): Promise<void> {
    if (!(await cursor.skip(tarBlockBytes)) || !(await cursor.ensure(tarBlockBytes))) return; // one block, as by old programs
    if (!isZeroBlock(cursor.buffer, cursor.at)) {
      throw new Failure(
        "damaged",
        `cannot read "${this.name}": a block of zeros stands before byte ${cursor.position}`,
      );
    }
    while ((await cursor.some(drainBytes)).length > 0);
  }
}

/** The content of an entry that was not whole in memory. */
class StreamedContent implements AsyncIterable<DataPiece> {
  readonly #cursor: ChunkCursor;
  readonly #stored: StoredContent;
  readonly #name: string;
  /** What of it is still before the cursor, padding included. */
  #left: number;
  #isPast = false;

  constructor(cursor: ChunkCursor, stored: StoredContent, name: string) {
    this.#cursor = cursor;
    this.#stored = stored;
    this.#name = name;
    this.#left = paddedBytes(stored.storedBytes);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<DataPiece, void, void> {
    if (this.#isPast || this.#left !== paddedBytes(this.#stored.storedBytes)) {
      throw new TypeError("the content of an entry of a tar can be read once, before the next batch");
    }
    for (const { at, lengthBytes } of this.#stored.stretches) {
      for (let done = 0; done < lengthBytes;) {
        if (this.#isPast) throw new TypeError("the content of an entry of a tar is read before the next batch");
        const bytes = await this.#cursor.some(lengthBytes - done);
        if (bytes.length === 0) throw truncated(this.#name, this.#cursor.position);
        this.#left -= bytes.length;
        yield { at: at + done, bytes };
        done += bytes.length;
      }
    }
  }

  /** Passes by what has not been read. */
  async giveUp(): Promise<void> {
    this.#isPast = true;
    if (!(await this.#cursor.skip(this.#left))) throw truncated(this.#name, this.#cursor.position);
    this.#left = 0;
  }
}

function truncated(name: string, position: number): Failure {
  return new Failure("damaged", `cannot read "${name}": it ends at byte ${position}, before the end of the tar`, {
    hint: "the file was cut short, as by a full disk or a broken transfer",
  });
}
