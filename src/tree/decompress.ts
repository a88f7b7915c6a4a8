import * as zlib from "node:zlib";
import { Failure } from "../base/index.ts";
import { decompressLz4 } from "./lz4.ts";
import { decompressZstd } from "./zstd.ts";
import { throughTransform } from "./transform-chunks.ts";
import { decompressXz } from "./xz.ts";

type CompressionFormat = "plain" | "gzip" | "xz" | "zstd" | "lz4";

const outputBytes = 1024 * 1024;
const magicBytes = 6;

/**
 * By their first bytes: RFC 1952, the .xz file format 1.2, the LZ4 frame format 1.6.2 with its legacy frame, RFC 8878
 * (a frame, or one to be skipped).
 */
const formats: readonly { readonly format: CompressionFormat | "bzip2"; readonly magic: RegExp }[] = [
  { format: "gzip", magic: /^1f8b/ },
  { format: "xz", magic: /^fd377a585a00/ },
  { format: "lz4", magic: /^(04224d18|02214c18)/ },
  { format: "zstd", magic: /^(28b52ffd|5.2a4d18)/ },
  { format: "bzip2", magic: /^425a68/ },
];

/** What a stream of bytes holds, decompressed as its first bytes ask for. Chunks are valid until the next one. */
export interface Decompressed {
  readonly format: CompressionFormat;
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** Looks at the first bytes of `chunks`. Bad data throws `damaged` while the result is read; `name` is for that. */
export async function decompress(chunks: AsyncIterable<Uint8Array>, name: string): Promise<Decompressed> {
  const { first, all } = await peek(chunks);
  const magic = Buffer.from(first.subarray(0, magicBytes)).toString("hex");
  const format = formats.find((candidate) => candidate.magic.test(magic))?.format ?? "plain";
  switch (format) {
    case "plain":
      return { format, chunks: all };
    case "gzip":
      return { format, chunks: named(name, throughTransform(all, zlib.createGunzip({ chunkSize: outputBytes }))) };
    case "zstd":
      return { format, chunks: named(name, decompressZstd(all)) };
    case "lz4":
      return { format, chunks: named(name, decompressLz4(all)) };
    case "xz":
      return { format, chunks: named(name, decompressXz(all)) };
    default:
      throw new Failure("unsupported", `cannot read "${name}": it is compressed by bzip2`, {
        hint: `unpack it on the way: bzip2 -dc "${name}" | holdfast … --from -`,
      });
  }
}

/** The first bytes, enough for any magic if there are so many, and the stream with them in front again. */
async function peek(
  chunks: AsyncIterable<Uint8Array>,
): Promise<{ readonly first: Uint8Array; readonly all: AsyncIterable<Uint8Array> }> {
  const iterator = chunks[Symbol.asyncIterator]();
  let first: Uint8Array = new Uint8Array(0);
  let isWhole = false;
  while (first.length < magicBytes && !isWhole) {
    const next = await iterator.next();
    if (next.done === true) isWhole = true;
    else if (first.length === 0 && next.value.length >= magicBytes) first = next.value;
    else first = Buffer.concat([first, next.value]); // copied, for the next chunk may come in the same buffer
  }
  return { first, all: withFirst(first, iterator, isWhole) };
}

async function* withFirst(
  first: Uint8Array,
  rest: AsyncIterator<Uint8Array>,
  isWhole: boolean,
): AsyncGenerator<Uint8Array, void, void> {
  try {
    if (first.length > 0) yield first;
    if (isWhole) return;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}

/** Says which file is meant, of whatever a decoder refuses. */
async function* named(name: string, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  try {
    yield* chunks;
  } catch (error) {
    if (error instanceof Failure) {
      if (error.message.startsWith("cannot ")) throw error;
      const hint = error.hint === undefined ? {} : { hint: error.hint };
      throw new Failure(error.code, `cannot read "${name}": ${error.message}`, { ...hint, cause: error });
    }
    const why = error instanceof Error ? error.message : String(error);
    throw new Failure("damaged", `cannot read "${name}": its compressed data is damaged (${why})`, { cause: error });
  }
}
