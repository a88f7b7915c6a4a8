import { Failure } from "../../base/index.ts";
import { Bitmap } from "../../bytes/index.ts";
import type { ChunkCursor } from "../../tree/index.ts";
import { checksumCodes, checksumOf } from "./checksum.ts";
import {
  decodeHeader,
  decodeHeaderV1,
  imageHeader,
  imageHeaderV1,
  imageMagic,
  imageMark,
  rawCrc32,
  type ImageDescription,
} from "./header.ts";

/** Bytes of the file system with their place in it. */
export interface Piece {
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** What stands in front of the blocks of an image. */
export interface ImageHead {
  readonly description: ImageDescription;
  /** Which blocks are there; bits behind the last block are clear. */
  readonly bitmap: Bitmap;
  readonly usedBlocks: number;
  /** How many bytes of the image all this takes. */
  readonly lengthBytes: number;
  /** Bytes that follow each checksum for nothing, as before 0.1.0 on machines of 64 bits. */
  readonly junkBytes: number;
}

const bitmapMagicV1 = "BiTmAgIc";
const pieceLimitBytes = 4 * 1024 * 1024;
const bitmapPieceBytes = 1024 * 1024;

/** Reads header and bitmap from the beginning of a stream. Throws `damaged`, `unsupported`. */
export async function readImageHead(cursor: ChunkCursor): Promise<ImageHead> {
  if (!(await cursor.ensure(imageMark.sizeBytes))) throw truncated("in its header");
  const { magic, version } = imageMark.decode(cursor.buffer, cursor.at);
  if (magic !== imageMagic) throw new Failure("damaged", "it does not begin as a partclone image");
  if (version === "0002") return readHeadV2(cursor);
  if (version === "0001") return readHeadV1(cursor);
  throw new Failure("unsupported", `it is a partclone image of version "${version}", 0001 and 0002 are known`);
}

async function readHeadV2(cursor: ChunkCursor): Promise<ImageHead> {
  if (!(await cursor.ensure(imageHeader.sizeBytes))) throw truncated("in its header");
  const description = decodeHeader(cursor.buffer.subarray(cursor.at, cursor.at + imageHeader.sizeBytes));
  cursor.at += imageHeader.sizeBytes;
  const { blockCount, bitmapForm } = description;
  const known = { description, junkBytes: 0 };
  if (bitmapForm === "none") {
    const bitmap = new Bitmap(blockCount);
    bitmap.setRange(0, blockCount);
    return { ...known, bitmap, usedBlocks: blockCount, lengthBytes: imageHeader.sizeBytes };
  }
  const { bitmap, sealed, storedBytes } = await readBitmap(cursor, description);
  if (!(await cursor.ensure(4))) throw truncated("in its bitmap");
  if (cursor.buffer.readUInt32LE(cursor.at) !== rawCrc32(sealed)) {
    throw new Failure("damaged", "the checksum of the bitmap is wrong");
  }
  cursor.at += 4;
  clearBehind(bitmap);
  const lengthBytes = imageHeader.sizeBytes + storedBytes + 4;
  return { ...known, bitmap, usedBlocks: bitmap.countSet(), lengthBytes };
}

async function readHeadV1(cursor: ChunkCursor): Promise<ImageHead> {
  if (!(await cursor.ensure(imageHeaderV1.sizeBytes))) throw truncated("in its header");
  const description = decodeHeaderV1(cursor.buffer.subarray(cursor.at, cursor.at + imageHeaderV1.sizeBytes));
  cursor.at += imageHeaderV1.sizeBytes;
  const { bitmap, storedBytes } = await readBitmap(cursor, description);
  if (!(await cursor.ensure(bitmapMagicV1.length))) throw truncated("in its bitmap");
  if (cursor.buffer.toString("latin1", cursor.at, cursor.at + bitmapMagicV1.length) !== bitmapMagicV1) {
    throw new Failure("damaged", "no mark follows its bitmap");
  }
  cursor.at += bitmapMagicV1.length;
  const usedBlocks = bitmap.countSet();
  const lengthBytes = imageHeaderV1.sizeBytes + storedBytes + bitmapMagicV1.length;
  const head = { description, bitmap, usedBlocks, lengthBytes };
  return { ...head, junkBytes: await junkOf(cursor, description, usedBlocks) };
}

/** Four bytes more behind each checksum, where only so the second one comes right. */
async function junkOf(cursor: ChunkCursor, { blockBytes }: ImageDescription, usedBlocks: number): Promise<number> {
  if (usedBlocks < 2 || !(await cursor.ensure(2 * (blockBytes + 8)))) return 0;
  const checksum = checksumOf("first-byte", blockBytes);
  const block = (at: number): Uint8Array => cursor.buffer.subarray(cursor.at + at, cursor.at + at + blockBytes);
  const isSecondRight = (junkBytes: number): boolean => {
    const secondAt = blockBytes + 4 + junkBytes;
    checksum.reset();
    checksum.update(block(0));
    checksum.update(block(secondAt));
    const at = cursor.at + secondAt + blockBytes;
    return cursor.buffer.subarray(at, at + 4).equals(checksum.digest());
  };
  return !isSecondRight(0) && isSecondRight(4) ? 4 : 0;
}

interface StoredBitmap {
  readonly bitmap: Bitmap;
  /** The bits with whatever stands behind the last one, which the checksum covers. */
  readonly sealed: Uint8Array;
  readonly storedBytes: number;
}

async function readBitmap(cursor: ChunkCursor, { blockCount, bitmapForm }: ImageDescription): Promise<StoredBitmap> {
  const storedBytes = bitmapForm === "bytes" ? blockCount : Math.ceil(blockCount / 8);
  let bits = new Uint8Array(Math.min(Math.ceil(blockCount / 8), bitmapPieceBytes));
  // What a header claims is only given memory as the bytes come.
  for (let at = 0; at < storedBytes;) {
    const piece = await cursor.some(Math.min(storedBytes - at, bitmapPieceBytes));
    if (piece.length === 0) throw truncated("in its bitmap");
    const end = bitmapForm === "bytes" ? Math.ceil((at + piece.length) / 8) : at + piece.length;
    if (end > bits.length) bits = grown(bits, Math.min(Math.ceil(blockCount / 8), 2 * end));
    if (bitmapForm === "bits") bits.set(piece, at);
    else setMarked(new Bitmap(bits.length * 8, bits), at, piece);
    at += piece.length;
  }
  return { bitmap: new Bitmap(blockCount, bits), sealed: bits, storedBytes };
}

function grown(bytes: Uint8Array, lengthBytes: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(lengthBytes);
  larger.set(bytes);
  return larger;
}

function setMarked(bitmap: Bitmap, first: number, marks: Uint8Array): void {
  for (let n = 0; n < marks.length; n++) if (marks[n] === 1) bitmap.set(first + n);
}

/** partclone leaves ones behind the last block. */
function clearBehind(bitmap: Bitmap): void {
  const all = new Bitmap(bitmap.bytes.length * 8, bitmap.bytes);
  all.clearRange(bitmap.length, all.length - bitmap.length);
}

/**
 * The blocks of an image, in batches that belong to the stream again once the next one is asked for. A checksum is
 * compared when its strip has come whole, so what was handed out may turn out `damaged` with the next batch.
 */
export async function* readBlocks(cursor: ChunkCursor, head: ImageHead): AsyncGenerator<readonly Piece[], void, void> {
  const { description, junkBytes } = head;
  const { blockBytes, stripBlocks, reseed } = description;
  const checksum = checksumOf(description.checksum, blockBytes);
  const checksumBytes = checksumCodes[description.checksum].sizeBytes;
  const places = new BlockPlaces(head);
  const stripBytes = stripBlocks === 0 ? Infinity : stripBlocks * blockBytes;
  let stripLeft = stripBytes;
  for (let left = head.usedBlocks * blockBytes; left > 0;) {
    const bytes = await cursor.some(Math.min(left, stripLeft, pieceLimitBytes));
    if (bytes.length === 0) throw truncated(`${left} bytes before the end of its blocks`);
    checksum.update(bytes);
    yield places.next(bytes);
    left -= bytes.length;
    stripLeft -= bytes.length;
    if (stripLeft > 0 && left > 0) continue;
    await compareChecksum(cursor, checksum.digest(), { checksumBytes, junkBytes, nextBlock: places.nextBlock });
    if (reseed) checksum.reset();
    stripLeft = stripBytes;
  }
  const rest = await cursor.some(1);
  if (rest.length > 0) throw new Failure("damaged", "bytes follow behind its last block");
}

async function compareChecksum(
  cursor: ChunkCursor,
  wanted: Uint8Array,
  at: { readonly checksumBytes: number; readonly junkBytes: number; readonly nextBlock: number },
): Promise<void> {
  if (at.checksumBytes === 0) return;
  if (!(await cursor.ensure(at.checksumBytes + at.junkBytes))) throw truncated("before its last checksum");
  const found = cursor.buffer.subarray(cursor.at, cursor.at + at.checksumBytes);
  if (!found.equals(wanted)) {
    throw new Failure("damaged", `the checksum of the blocks before block ${at.nextBlock} is wrong`);
  }
  cursor.at += at.checksumBytes + at.junkBytes;
}

/** Gives the bytes of used blocks, as they come, their places. */
class BlockPlaces {
  readonly #bitmap: Bitmap;
  readonly #blockBytes: number;
  #at = 0;
  #end = 0;

  constructor({ bitmap, description }: ImageHead) {
    this.#bitmap = bitmap;
    this.#blockBytes = description.blockBytes;
  }

  /** The block that comes next, or after the last one the number of blocks. */
  get nextBlock(): number {
    if (this.#at < this.#end) return Math.floor(this.#at / this.#blockBytes);
    const next = this.#bitmap.nextSet(Math.ceil(this.#end / this.#blockBytes));
    return next < 0 ? this.#bitmap.length : next;
  }

  next(bytes: Uint8Array): readonly Piece[] {
    const pieces: Piece[] = [];
    for (let done = 0; done < bytes.length;) {
      if (this.#at === this.#end) this.#enterRun();
      const count = Math.min(bytes.length - done, this.#end - this.#at);
      pieces.push({ at: this.#at, bytes: bytes.subarray(done, done + count) });
      this.#at += count;
      done += count;
    }
    return pieces;
  }

  #enterRun(): void {
    const first = this.#bitmap.nextSet(Math.ceil(this.#end / this.#blockBytes));
    if (first < 0) throw new TypeError("more bytes than used blocks");
    const clear = this.#bitmap.nextClear(first);
    this.#at = first * this.#blockBytes;
    this.#end = (clear < 0 ? this.#bitmap.length : clear) * this.#blockBytes;
  }
}

function truncated(where: string): Failure {
  return new Failure("damaged", `the partclone image ends ${where}`);
}
