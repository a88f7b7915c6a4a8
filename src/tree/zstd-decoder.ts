import * as zlib from "node:zlib";
import { Failure } from "../base/index.ts";
import type { ChunkCursor } from "./chunk-cursor.ts";
import { throughTransform } from "./transform-chunks.ts";
import {
  decodeZstdBlock,
  decodeZstdHeader,
  isSkippableMagic,
  zstdBlockHeaderBytes,
  zstdHeaderBytes,
  zstdHeaderLimitBytes,
  zstdMagic,
} from "./zstd-frame.ts";

const outputChunkBytes = 1024 * 1024;
const checksumBytes = 4;

/** Yields the content of all frames; reads to the end of the input. */
export async function* decodeZstd(cursor: ChunkCursor): AsyncGenerator<Uint8Array, void, void> {
  for (;;) {
    if (!(await cursor.ensure(4))) {
      if (cursor.available === 0) return;
      throw truncated();
    }
    const magic = cursor.buffer.readUInt32LE(cursor.at);
    if (magic === zstdMagic) yield* decodeFrame(cursor);
    else if (isSkippableMagic(magic)) await skipFrame(cursor);
    else throw new Failure("damaged", "something that is not zstd stands behind a zstd frame");
  }
}

async function skipFrame(cursor: ChunkCursor): Promise<void> {
  if (!(await cursor.ensure(8))) throw truncated();
  if (!(await cursor.skip(8 + cursor.buffer.readUInt32LE(cursor.at + 4)))) throw truncated();
}

async function* decodeFrame(cursor: ChunkCursor): AsyncGenerator<Uint8Array, void, void> {
  // The header may be shorter than the longest one, and the input end before that.
  await cursor.ensure(zstdHeaderLimitBytes);
  if (!cursor.has(5) || !cursor.has(zstdHeaderBytes(cursor.buffer, cursor.at))) throw truncated();
  const header = decodeZstdHeader(cursor.buffer, cursor.at);
  const decoder = zlib.createZstdDecompress({ chunkSize: outputChunkBytes });
  let contentBytes = 0;
  for await (const piece of throughTransform(frameBytes(cursor), decoder)) {
    contentBytes += piece.length;
    yield piece;
  }
  if (contentBytes !== (header.contentBytes ?? contentBytes)) {
    throw new Failure("damaged", `a zstd frame of ${header.contentBytes} bytes gave ${contentBytes}`);
  }
}

/** The bytes of one frame, as many together as the cursor has. */
async function* frameBytes(cursor: ChunkCursor): AsyncGenerator<Uint8Array, void, void> {
  const header = decodeZstdHeader(cursor.buffer, cursor.at);
  let ahead = header.lengthBytes;
  for (let isLast = false; !isLast;) {
    // Block headers are read where they lie in the buffer; what lies before the last one there goes out at once.
    while (!isLast && cursor.has(ahead + zstdBlockHeaderBytes)) {
      const block = decodeZstdBlock(cursor.buffer, cursor.at + ahead);
      ahead += zstdBlockHeaderBytes + block.lengthBytes;
      isLast = block.isLast;
    }
    if (isLast) ahead += header.hasChecksum ? checksumBytes : 0;
    while (ahead > 0) {
      const piece = await cursor.some(ahead);
      if (piece.length === 0) throw truncated();
      ahead -= piece.length;
      yield piece;
    }
    if (!isLast && !(await cursor.ensure(zstdBlockHeaderBytes))) throw truncated();
  }
}

function truncated(): Failure {
  return new Failure("damaged", "it ends before its end");
}
