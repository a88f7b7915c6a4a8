import { availableParallelism } from "node:os";
import * as zlib from "node:zlib";
import { decompress, encodeLz4Frame } from "../../tree/index.ts";
import { encodeXzBlock, encodeXzIndex, encodeXzStart, xzBlockPlainBytes, type XzBlock } from "../../tree/lzma/index.ts";
import { encodeGzipTable } from "./gzip-table.ts";
import { encodeSeekTable, type Frame } from "./seek-table.ts";

/** How data is compressed: as Clonezilla names it in file names. */
export type PackedAs = "zst" | "gz" | "xz" | "lz4" | "uncomp";

/** Compresses parts, each so that it can be read without the others. */
export interface Packing {
  readonly name: PackedAs;
  /** What stands in front of the first one, and counts as a part of it. */
  readonly start: Uint8Array;
  pack(part: Uint8Array): Uint8Array | Promise<Uint8Array>;
  /** What was packed. Throws where its checksum is wrong. */
  unpack(packed: Uint8Array): Promise<Uint8Array>;
  /** What stands behind the last one. */
  end(frames: readonly Frame[]): Uint8Array;
}

const noBytes = new Uint8Array(0);
const xzStart = encodeXzStart();
/** Small pieces of output cost most of the time. */
const leastOutputBytes = 64 * 1024;
/** No part has more. */
const unpackedLimitBytes = 64 * 1024 * 1024;

/** A thread has two parts before it, and each takes 8 MiB: no machine is to need more than 300 MiB for that. */
const packersLimit = 16;
/** How many parts are packed at a time: more than there are cores would only drive one another out of their caches. */
export const packersCount = Math.min(availableParallelism(), packersLimit);
/** How many parts are under way at a time: two for each thread, and two that are read or written. */
export const partsUnderWay = 2 * packersCount + 2;

const packings: Readonly<Record<PackedAs, (level: number | undefined) => Packing>> = {
  zst: (level = 3) => zstdPacking(level),
  gz: (level = 6) => ({
    name: "gz",
    start: noBytes,
    pack: (part) => zlib.gzipSync(part, { level, chunkSize: Math.max(leastOutputBytes, part.length) }),
    unpack: async (packed) => zlib.gunzipSync(packed, { maxOutputLength: unpackedLimitBytes }),
    end: encodeGzipTable,
  }),
  // zstd's table is in a frame that decoders of LZ4 skip as well.
  lz4: () => ({
    name: "lz4",
    start: noBytes,
    pack: (part) => encodeLz4Frame(part),
    unpack: unpacked,
    end: encodeSeekTable,
  }),
  xz: () => ({
    name: "xz",
    start: xzStart,
    pack: (part) => encodeXzBlock(part),
    unpack: (packed) => unpacked(wholeXz(packed)),
    end: (frames) => encodeXzIndex(frames.map(xzBlockOf)),
  }),
  uncomp: () => ({
    name: "uncomp",
    start: noBytes,
    pack: (part) => part,
    unpack: async (packed) => packed,
    end: () => noBytes,
  }),
};

export function packingOf(name: PackedAs, level: number | undefined): Packing {
  return packings[name](level);
}

/**
 * Level 3 for parts of 4 MiB: it may look back over a whole part, which makes the output 1.5 % smaller, by a table of
 * half the size, which stays in the caches of a core and gives a part of that back for 3 % less time.
 */
const fastThird = {
  [zlib.constants.ZSTD_c_windowLog]: 22,
  [zlib.constants.ZSTD_c_chainLog]: 15,
};

/** Frames that tell their length and have a checksum. In one call: in several zstd works through a ring, and slower. */
function zstdPacking(level: number): Packing {
  const { ZSTD_c_compressionLevel, ZSTD_c_checksumFlag } = zlib.constants;
  const params = { [ZSTD_c_compressionLevel]: level, [ZSTD_c_checksumFlag]: 1, ...(level === 3 ? fastThird : {}) };
  return {
    name: "zst",
    start: noBytes,
    pack(part) {
      const chunkSize = Math.max(leastOutputBytes, part.length + part.length / 128 + 512);
      return zlib.zstdCompressSync(part, { params, pledgedSrcSize: part.length, chunkSize: Math.ceil(chunkSize) });
    },
    unpack: async (packed) => zlib.zstdDecompressSync(packed, { maxOutputLength: unpackedLimitBytes }),
    end: encodeSeekTable,
  };
}

async function unpacked(packed: Uint8Array): Promise<Uint8Array> {
  async function* whole(): AsyncGenerator<Uint8Array, void, void> {
    yield packed;
  }
  const pieces: Uint8Array[] = [];
  for await (const piece of (await decompress(whole(), "part")).chunks) pieces.push(piece.slice());
  return Buffer.concat(pieces);
}

function xzBlockOf({ packedBytes, plainBytes }: Frame, n: number): XzBlock {
  return { unpaddedBytes: packedBytes - (n === 0 ? xzStart.length : 0), plainBytes };
}

/** A part as a stream of its own. */
function wholeXz(packed: Uint8Array): Uint8Array {
  const isFirst = Buffer.compare(packed.subarray(0, xzStart.length), xzStart) === 0;
  const block = isFirst ? packed.subarray(xzStart.length) : packed;
  const index = encodeXzIndex([{ unpaddedBytes: block.length, plainBytes: xzBlockPlainBytes(block) }]);
  return Buffer.concat([xzStart, block, index]);
}
