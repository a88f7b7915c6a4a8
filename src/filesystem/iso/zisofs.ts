import { promisify } from "node:util";
import * as zlib from "node:zlib";
import { Failure } from "../../base/index.ts";
import { bits64, Struct, u32, u8, u64 } from "../../bytes/index.ts";
import type { DataPiece } from "../../tree/index.ts";
import type { FilePart, PartSource } from "../part-reader.ts";
import { damaged } from "../damaged.ts";
import type { PackedData } from "./rock-ridge.ts";
import { storedBytes, storedLength, type StoredFile } from "./stored-bytes.ts";

/** The head of a packed file: zisofs_format.txt, zisofs2_format.txt of libisofs. */
export const zisofsHeader = new Struct("zisofs header", 16, {
  magic: [0, bits64],
  sizeBytes: [8, u32],
  headerWords: [12, u8],
  blockSizeLog2: [13, u8],
});
export const zisofs2Header = new Struct("zisofs2 header", 24, {
  magic: [0, bits64],
  version: [8, u8],
  headerWords: [9, u8],
  algorithm: [10, u8],
  blockSizeLog2: [11, u8],
  sizeBytes: [12, u64],
});
const zisofsMagic = 0x07d6dbc9_9653e437n;
const zisofs2Magic = 0xa0951bbc_a15522efn;
/** The one algorithm of several that is known here. */
const zlibAlgorithm = 1;

/** Blocks are of 32 KiB to 1 MiB. */
const blockSizeLog2Range = [15, 20] as const;
const pointersAtOnce = 4096;

const inflate = promisify<Uint8Array, zlib.ZlibOptions, Uint8Array>(zlib.inflate);

interface PackedFile extends StoredFile {
  readonly lengthBytes: number;
  readonly packed: PackedData;
  readonly pointerBytes: 4 | 8;
  readonly what: string;
}

/** The content of a file that was packed in blocks, each by itself. Throws `unsupported` for another algorithm than zlib. */
export async function* readPacked(
  source: PartSource,
  parts: readonly FilePart[],
  { packed, what }: { readonly packed: PackedData; readonly what: string },
): AsyncGenerator<DataPiece> {
  const isFirstVersion = packed.algorithm === "pz";
  if (!isFirstVersion && packed.algorithm !== "PZ") {
    throw new Failure("unsupported", `cannot read ${what}: it is packed by "${packed.algorithm}", only zlib is known`);
  }
  const file: PackedFile = {
    source,
    parts,
    lengthBytes: storedLength(parts),
    packed,
    pointerBytes: isFirstVersion ? 4 : 8,
    what,
  };
  if (packed.sizeBytes === 0) return;
  await refuseOtherHeader(file);
  const [least, most] = blockSizeLog2Range;
  if (packed.blockSizeLog2 < least || packed.blockSizeLog2 > most) {
    throw damaged(what, `its packed blocks are of 2^${packed.blockSizeLog2} bytes`);
  }
  const blockBytes = 2 ** packed.blockSizeLog2;
  let at = 0;
  for await (const [start, end] of blockPlaces(file, Math.ceil(packed.sizeBytes / blockBytes))) {
    const lengthBytes = Math.min(blockBytes, packed.sizeBytes - at);
    yield { at, bytes: await unpack(file, { start, end, lengthBytes }) };
    at += lengthBytes;
  }
}

/** The head of the data must say the same as the ZF entry. */
async function refuseOtherHeader(file: PackedFile): Promise<void> {
  const { lengthBytes, packed, pointerBytes, what } = file;
  const struct = pointerBytes === 4 ? zisofsHeader : zisofs2Header;
  if (lengthBytes < struct.sizeBytes || packed.headerBytes < struct.sizeBytes) {
    throw damaged(what, "there is no room for a zisofs header");
  }
  const bytes = await storedBytes(file, 0, struct.sizeBytes);
  const { magic, headerWords, blockSizeLog2 } = struct.decode(bytes);
  const isKnown = magic === (pointerBytes === 4 ? zisofsMagic : zisofs2Magic);
  if (!isKnown || headerWords * 4 !== packed.headerBytes || blockSizeLog2 !== packed.blockSizeLog2) {
    throw damaged(what, "its zisofs header is not what its directory record says");
  }
  if (pointerBytes === 8 && zisofs2Header.get(bytes, "algorithm") !== zlibAlgorithm) {
    throw new Failure("unsupported", `cannot read ${what}: it is packed by an algorithm that is not known`);
  }
}

/** Where each packed block begins and ends in the stored data. */
async function* blockPlaces(file: PackedFile, blockCount: number): AsyncGenerator<readonly [number, number]> {
  const { packed, pointerBytes, what, lengthBytes } = file;
  if (packed.headerBytes + (blockCount + 1) * pointerBytes > lengthBytes) {
    throw damaged(what, `the table of its ${blockCount} packed blocks does not fit`);
  }
  for (let first = 0; first < blockCount; first += pointersAtOnce) {
    const count = Math.min(pointersAtOnce, blockCount - first);
    const at = packed.headerBytes + first * pointerBytes;
    const bytes = await storedBytes(file, at, (count + 1) * pointerBytes);
    const pointer = pointersIn(bytes, pointerBytes);
    for (let n = 0; n < count; n++) {
      const [start, end] = [pointer(n), pointer(n + 1)];
      if (start > end || end > lengthBytes) throw damaged(what, `its packed block ${first + n} ends before it begins`);
      yield [start, end];
    }
  }
}

function pointersIn(bytes: Uint8Array, pointerBytes: 4 | 8): (n: number) => number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (pointerBytes === 4) return (n) => view.getUint32(n * 4, true);
  return (n) => view.getUint32(n * 8, true) + view.getUint32(n * 8 + 4, true) * 2 ** 32;
}

interface PackedBlock {
  readonly start: number;
  readonly end: number;
  /** Of what is packed in it. */
  readonly lengthBytes: number;
}

/** One block. An empty one is all zeros. */
async function unpack(file: PackedFile, block: PackedBlock): Promise<Uint8Array> {
  const { what } = file;
  const { start, end, lengthBytes } = block;
  if (start === end) return new Uint8Array(lengthBytes);
  // Data that cannot be packed grows by some bytes, never to twice its size.
  if (end - start > 2 * lengthBytes + 1024) throw damaged(what, `a packed block has ${end - start} bytes`);
  const bytes = await storedBytes(file, start, end - start);
  let unpacked: Uint8Array | undefined;
  try {
    unpacked = await inflate(bytes, { maxOutputLength: lengthBytes });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw damaged(what, `a packed block cannot be unpacked: ${error.message}`);
  }
  if (unpacked.length === lengthBytes) return unpacked;
  throw damaged(what, `a packed block holds ${unpacked.length} of ${lengthBytes} bytes`);
}
