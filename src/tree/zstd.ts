import * as zlib from "node:zlib";
import { Failure } from "../base/index.ts";
import { ChunkCursor } from "./chunk-cursor.ts";
import { throughTransform } from "./transform-chunks.ts";
import {
  decodeZstdBlock,
  decodeZstdHeader,
  isSkippableMagic,
  zstdBlockHeaderBytes,
  zstdHeaderBytes,
  zstdHeaderLimitBytes,
  zstdMagic,
  zstdWindowLimitBytes,
} from "./zstd-frame.ts";

const outputBytes = 1024 * 1024;
const checksumBytes = 4;
/** Compressed blocks are gathered to so much before they are handed on. */
const gatheredBytes = 512 * 1024;

/** The content of zstd frames, one or many, each with a decoder of its own. */
export async function* decompressZstd(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  const cursor = new ChunkCursor(chunks);
  try {
    while (await cursor.ensure(4)) {
      const magic = cursor.buffer.readUInt32LE(cursor.at);
      if (isSkippableMagic(magic)) await skipFrame(cursor);
      else if (magic === zstdMagic) yield* decodeFrame(cursor);
      else throw new Failure("damaged", "bytes follow that are no zstd frame");
    }
    if (cursor.available > 0) throw new Failure("damaged", "bytes follow that are no zstd frame");
  } finally {
    await cursor.close();
  }
}

async function skipFrame(cursor: ChunkCursor): Promise<void> {
  const isThere = (await cursor.ensure(8)) && (await cursor.skip(8 + cursor.buffer.readUInt32LE(cursor.at + 4)));
  if (!isThere) throw truncated();
}

async function* decodeFrame(cursor: ChunkCursor): AsyncGenerator<Uint8Array, void, void> {
  if (!(await cursor.ensure(6))) throw truncated();
  const headerBytes = zstdHeaderBytes(cursor.buffer, cursor.at);
  if (headerBytes > zstdHeaderLimitBytes || !(await cursor.ensure(headerBytes))) throw truncated();
  const header = decodeZstdHeader(cursor.buffer, cursor.at);
  const decoder = zlib.createZstdDecompress({
    chunkSize: outputBytes,
    params: { [zlib.constants.ZSTD_d_windowLogMax]: Math.log2(zstdWindowLimitBytes) },
  });
  let madeBytes = 0;
  for await (const made of throughTransform(frameBytes(cursor, header), decoder)) {
    madeBytes += made.length;
    yield made;
  }
  if (header.contentBytes !== undefined && madeBytes !== header.contentBytes) {
    throw new Failure("damaged", `a zstd frame says ${header.contentBytes} bytes and holds ${madeBytes}`);
  }
}

/** The bytes of one frame, from its header to its checksum. */
async function* frameBytes(
  cursor: ChunkCursor,
  header: { readonly lengthBytes: number; readonly hasChecksum: boolean },
): AsyncGenerator<Uint8Array, void, void> {
  const gathered = Buffer.alloc(gatheredBytes);
  let length = 0;
  const take = async (count: number): Promise<void> => {
    if (!(await cursor.ensure(count))) throw truncated();
    cursor.buffer.copy(gathered, length, cursor.at, cursor.at + count);
    cursor.at += count;
    length += count;
  };
  await take(header.lengthBytes);
  for (let isLast = false; !isLast;) {
    if (!(await cursor.ensure(zstdBlockHeaderBytes))) throw truncated();
    const block = decodeZstdBlock(cursor.buffer, cursor.at);
    if (length + zstdBlockHeaderBytes + block.lengthBytes + checksumBytes > gatheredBytes) {
      yield gathered.subarray(0, length);
      length = 0;
    }
    await take(zstdBlockHeaderBytes + block.lengthBytes);
    isLast = block.isLast;
  }
  if (header.hasChecksum) await take(checksumBytes);
  yield gathered.subarray(0, length);
}

function truncated(): Failure {
  return new Failure("damaged", "its zstd data ends too soon");
}
