import { Failure } from "../base/index.ts";
import { Xxhash32 } from "../bytes/index.ts";
import { ChunkCursor } from "./chunk-cursor.ts";
import { decodeLz4Block } from "./lz4-block.ts";

/** LZ4 frame format 1.6.2: a frame, the old "legacy" one that kernels and initrds have, and one to be skipped. */
const frameMagic = 0x184d2204;
const legacyMagic = 0x184c2102;
const isSkippable = (magic: number): boolean => magic >>> 4 === 0x184d2a5;

/** The content of a legacy block; of the compressed one, with what incompressible bytes take more. */
const legacyBlockBytes = 8 * 1024 * 1024;
const legacyPackedLimitBytes = legacyBlockBytes + Math.ceil(legacyBlockBytes / 255) + 16;
/** By the three bits of BD. */
const blockBytesOf: Readonly<Record<number, number>> = { 4: 65_536, 5: 262_144, 6: 1_048_576, 7: 4_194_304 };
/** How far back a match may reach. */
const historyBytes = 65_536;

/** The content of LZ4 frames of either kind, one or many. Legacy frames have neither checksums nor an end of their own. */
export async function* decompressLz4(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  const cursor = new ChunkCursor(chunks);
  try {
    while (await cursor.ensure(4)) {
      const magic = cursor.buffer.readUInt32LE(cursor.at);
      cursor.at += 4;
      if (magic === legacyMagic) yield* legacyFrame(cursor);
      else if (magic === frameMagic) yield* frame(cursor);
      else if (isSkippable(magic)) await skipFrame(cursor);
      else throw new Failure("damaged", "bytes follow that are no LZ4 frame");
    }
    if (cursor.available > 0) throw new Failure("damaged", "bytes follow that are no LZ4 frame");
  } finally {
    await cursor.close();
  }
}

async function skipFrame(cursor: ChunkCursor): Promise<void> {
  const lengthBytes = await number(cursor);
  if (!(await cursor.skip(lengthBytes))) throw truncated();
}

/** Blocks without an end mark: one that is not full, the next frame, or the end of the stream is the end. */
async function* legacyFrame(cursor: ChunkCursor): AsyncGenerator<Uint8Array, void, void> {
  const room = new Uint8Array(legacyBlockBytes);
  while (await cursor.ensure(4)) {
    const packedBytes = cursor.buffer.readUInt32LE(cursor.at);
    if (packedBytes === legacyMagic || packedBytes === frameMagic || isSkippable(packedBytes)) return;
    if (packedBytes > legacyPackedLimitBytes) throw new Failure("damaged", "an LZ4 block is too long");
    cursor.at += 4;
    if (!(await cursor.ensure(packedBytes))) throw truncated();
    const packed = cursor.buffer.subarray(cursor.at, cursor.at + packedBytes);
    const end = decodeLz4Block(packed, room, 0);
    cursor.at += packedBytes;
    if (end > 0) yield room.subarray(0, end);
  }
}

interface FrameHeader {
  readonly blockBytes: number;
  readonly isLinked: boolean;
  readonly hasBlockChecksums: boolean;
  readonly hasContentChecksum: boolean;
}

async function readHeader(cursor: ChunkCursor): Promise<FrameHeader> {
  if (!(await cursor.ensure(2))) throw truncated();
  const flags = cursor.buffer.readUInt8(cursor.at);
  const blockBytes = blockBytesOf[(cursor.buffer.readUInt8(cursor.at + 1) >>> 4) & 7];
  if (flags >>> 6 !== 1 || blockBytes === undefined) throw new Failure("damaged", "an LZ4 frame has no header");
  if ((flags & 1) !== 0) throw new Failure("unsupported", "it needs an LZ4 dictionary");
  const descriptorBytes = (flags & 8) === 0 ? 2 : 10; // with the size of the content
  if (!(await cursor.ensure(descriptorBytes + 1))) throw truncated();
  const sum = hashOf(cursor.buffer.subarray(cursor.at, cursor.at + descriptorBytes));
  if (cursor.buffer[cursor.at + descriptorBytes] !== ((sum >>> 8) & 0xff)) throw damagedFrame("header");
  cursor.at += descriptorBytes + 1;
  return {
    blockBytes,
    isLinked: (flags & 0x20) === 0,
    hasBlockChecksums: (flags & 0x10) !== 0,
    hasContentChecksum: (flags & 4) !== 0,
  };
}

/** Each block is unpacked behind what came before it, as far as matches may reach back. */
async function* frame(cursor: ChunkCursor): AsyncGenerator<Uint8Array, void, void> {
  const { blockBytes, isLinked, hasBlockChecksums, hasContentChecksum } = await readHeader(cursor);
  const room = new Uint8Array(historyBytes + blockBytes);
  const content = new Xxhash32();
  let start = 0;
  for (;;) {
    const word = await number(cursor);
    if (word === 0) break;
    const storedBytes = word & 0x7fffffff;
    if (storedBytes > blockBytes) throw new Failure("damaged", "an LZ4 block is too long");
    if (!(await cursor.ensure(storedBytes))) throw truncated();
    const stored = cursor.buffer.subarray(cursor.at, cursor.at + storedBytes);
    const sum = hasBlockChecksums ? hashOf(stored) : 0;
    const end = unpack(stored, word >>> 31 === 1, room.subarray(0, start + blockBytes), start);
    cursor.at += storedBytes;
    if (hasBlockChecksums && (await number(cursor)) !== sum) throw damagedFrame("block");
    if (hasContentChecksum) content.update(room.subarray(start, end));
    if (end > start) yield room.subarray(start, end);
    start = isLinked ? Math.min(end, historyBytes) : 0;
    room.copyWithin(0, end - start, end);
  }
  if (hasContentChecksum && (await number(cursor)) !== content.digest()) throw damagedFrame("content");
}

function unpack(stored: Uint8Array, isPlain: boolean, room: Uint8Array, start: number): number {
  if (!isPlain) return decodeLz4Block(stored, room, start);
  room.set(stored, start);
  return start + stored.length;
}

async function number(cursor: ChunkCursor): Promise<number> {
  if (!(await cursor.ensure(4))) throw truncated();
  cursor.at += 4;
  return cursor.buffer.readUInt32LE(cursor.at - 4);
}

function hashOf(bytes: Uint8Array): number {
  const hash = new Xxhash32();
  hash.update(bytes);
  return hash.digest();
}

function damagedFrame(what: string): Failure {
  return new Failure("damaged", `the ${what} of an LZ4 frame does not match its checksum`);
}

function truncated(): Failure {
  return new Failure("damaged", "its LZ4 data ends too soon");
}
