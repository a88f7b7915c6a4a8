import { availableParallelism } from "node:os";
import { promisify } from "node:util";
import * as zlib from "node:zlib";
import { encodeSeekTable, type Frame } from "./seek-table.ts";

/** How data is compressed: as Clonezilla names it in file names. */
export type PackedAs = "zst" | "gz" | "uncomp";

/** Compresses parts, each so that it can be read without the others. */
export interface Packing {
  readonly name: PackedAs;
  pack(part: Uint8Array): Promise<Uint8Array>;
  /** What was packed. Throws where its checksum is wrong. */
  unpack(packed: Uint8Array): Promise<Uint8Array>;
  /** What stands behind the last one. */
  end(frames: readonly Frame[]): Uint8Array;
}

const zstdCompress = promisify(zlib.zstdCompress);
const zstdDecompress = promisify(zlib.zstdDecompress);
const gzip = promisify(zlib.gzip);
const gunzip = promisify(zlib.gunzip);
/** No part has more. */
const unpackedLimitBytes = 64 * 1024 * 1024;
const noBytes = new Uint8Array(0);
/** Small pieces of output cost most of the time. */
const leastOutputBytes = 64 * 1024;

/** Each part takes 8 MiB while it is packed: no machine is to need more than 300 MiB for that. */
const partsPackedLimit = 32;
/** How many parts are packed at a time: more than there are cores would only drive one another out of their caches. */
export const partsPacked = Math.min(availableParallelism(), partsPackedLimit);
/** How many parts are under way at a time: those that are packed, and two that are read or written. */
export const partsUnderWay = partsPacked + 2;

const packings: Readonly<Record<PackedAs, (level: number | undefined) => Packing>> = {
  zst: (level = 3) => zstdPacking(level),
  gz: (level = 6) => ({
    name: "gz",
    pack: (part) => gzip(part, { level, chunkSize: Math.max(leastOutputBytes, part.length) }),
    unpack: (packed) => gunzip(packed, { maxOutputLength: unpackedLimitBytes }),
    end: () => noBytes,
  }),
  uncomp: () => ({ name: "uncomp", pack: async (part) => part, unpack: async (packed) => packed, end: () => noBytes }),
};

export function packingOf(name: PackedAs, level: number | undefined): Packing {
  return packings[name](level);
}

/** Frames that tell their length and have a checksum. */
function zstdPacking(level: number): Packing {
  const { ZSTD_c_compressionLevel, ZSTD_c_checksumFlag } = zlib.constants;
  const params = { [ZSTD_c_compressionLevel]: level, [ZSTD_c_checksumFlag]: 1 };
  return {
    name: "zst",
    pack(part) {
      const chunkSize = Math.max(leastOutputBytes, part.length + part.length / 128 + 512);
      return zstdCompress(part, { params, pledgedSrcSize: part.length, chunkSize: Math.ceil(chunkSize) });
    },
    unpack: (packed) => zstdDecompress(packed, { maxOutputLength: unpackedLimitBytes }),
    end: encodeSeekTable,
  };
}
