import * as zlib from "node:zlib";
import { Failure } from "../base/index.ts";
import { ChunkCursor } from "./chunk-cursor.ts";
import { throughTransform } from "./transform-chunks.ts";
import { decodeXz, xzMagic } from "./xz-decoder.ts";
import { decodeZstd } from "./zstd-decoder.ts";
import { isSkippableMagic, zstdMagic } from "./zstd-frame.ts";

export type Compression = "plain" | "gzip" | "zstd" | "xz";

export interface Decompressed {
  readonly format: Compression;
  /** A chunk is valid until the next one is asked for. */
  readonly chunks: AsyncIterable<Uint8Array>;
}

const magicBytes = 6;
/** Node's default of 16 KiB costs more time in calls than in work. */
const outputChunkBytes = 1024 * 1024;

/** Finds by the first bytes how the chunks are compressed, and unpacks them; what is not compressed passes as it is. */
export async function decompress(chunks: AsyncIterable<Uint8Array>, name: string): Promise<Decompressed> {
  const cursor = new ChunkCursor(chunks);
  try {
    await cursor.ensure(magicBytes);
    const format = detect(cursor.buffer.subarray(cursor.at), name);
    return { format, chunks: named(unpack(format, cursor), cursor, name) };
  } catch (error) {
    await cursor.close();
    throw error;
  }
}

function detect(start: Buffer, name: string): Compression {
  if (start.length >= 3 && start[0] === 0x1f && start[1] === 0x8b) return "gzip";
  if (start.length >= 4 && start.readUInt32LE(0) === zstdMagic) return "zstd";
  if (start.length >= 4 && isSkippableMagic(start.readUInt32LE(0))) return "zstd";
  if (start.subarray(0, magicBytes).equals(xzMagic)) return "xz";
  const other = otherFormats.find(([magic]) => start.toString("latin1").startsWith(magic));
  if (other === undefined) return "plain";
  throw new Failure("unsupported", `cannot read "${name}": it is compressed with ${other[1]}`, {
    hint: `unpack it first: ${other[2]} -dc <file> | … -`,
  });
}

const otherFormats: readonly (readonly [magic: string, name: string, program: string])[] = [
  ["BZh", "bzip2", "bzip2"],
  ["\x04\x22\x4d\x18", "lz4", "lz4"],
  ["\x5d\x00\x00", "lzma", "xz"],
  ["LZIP", "lzip", "lzip"],
  ["\x1f\x9d", "compress", "gzip"],
  ["\x89LZO", "lzop", "lzop"],
];

function unpack(format: Compression, cursor: ChunkCursor): AsyncIterable<Uint8Array> {
  switch (format) {
    case "gzip":
      return throughTransform(rest(cursor), zlib.createGunzip({ chunkSize: outputChunkBytes }));
    case "zstd":
      return decodeZstd(cursor);
    case "xz":
      return decodeXz(cursor);
    case "plain":
      return rest(cursor);
  }
}

/** All that is left. */
async function* rest(cursor: ChunkCursor): AsyncGenerator<Uint8Array, void, void> {
  for (;;) {
    const bytes = await cursor.some(Number.MAX_SAFE_INTEGER);
    if (bytes.length === 0) return;
    yield bytes;
  }
}

/** Adds the name of the file to what goes wrong, and closes the source at the end. */
async function* named(
  chunks: AsyncIterable<Uint8Array>,
  cursor: ChunkCursor,
  name: string,
): AsyncGenerator<Uint8Array, void, void> {
  try {
    yield* chunks;
  } catch (error) {
    throw withName(error, name);
  } finally {
    await cursor.close();
  }
}

function withName(error: unknown, name: string): unknown {
  if (error instanceof Failure) {
    if (error.message.startsWith("cannot ")) return error; // from the source, with its name
    const hint = error.hint === undefined ? {} : { hint: error.hint };
    return new Failure(error.code, `cannot unpack "${name}": ${error.message}`, { cause: error, ...hint });
  }
  if (!isZlibError(error)) return error;
  return new Failure("damaged", `cannot unpack "${name}": ${error.message}`, { cause: error });
}

function isZlibError(error: unknown): error is Error {
  return error instanceof Error && "code" in error && /^(Z|ZSTD|ERR_ZSTD)_/.test(String(error.code));
}
