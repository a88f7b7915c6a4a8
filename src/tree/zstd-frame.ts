import { Failure } from "../base/index.ts";

/**
 * The outline of zstd's format (RFC 8878 §3.1): where frames and blocks begin and end. Node's decoder stops
 * after the first frame and reports success, so each frame is cut out here and given a decoder of its own.
 */

export const zstdMagic = 0xfd2fb528;
/** Frames may ask for a window of this size at most, as with the `zstd` program. */
export const zstdWindowLimitBytes = 128 * 1024 * 1024;
/** The longest header of a frame: magic, descriptor, window, dictionary, content size. */
export const zstdHeaderLimitBytes = 18;

const contentSizeBytes = [0, 2, 4, 8] as const;
const dictionaryIdBytes = [0, 1, 2, 4] as const;

export interface ZstdFrameHeader {
  readonly lengthBytes: number;
  readonly contentBytes: number | undefined;
  readonly hasChecksum: boolean;
}

/** A frame that holds no data, such as a seek table; its length stands in the four bytes after the magic. */
export function isSkippableMagic(magic: number): boolean {
  return magic >>> 4 === 0x184d2a5;
}

/** The length of the header whose first five bytes are at `at`. */
export function zstdHeaderBytes(bytes: Buffer, at: number): number {
  const descriptor = bytes.readUInt8(at + 4);
  return 5 + (isSingleSegment(descriptor) ? 0 : 1) + dictionaryBytes(descriptor) + sizeFieldBytes(descriptor);
}

/** The header of a frame, which is there whole. */
export function decodeZstdHeader(bytes: Buffer, at: number): ZstdFrameHeader {
  const descriptor = bytes.readUInt8(at + 4);
  const dictionaryAt = at + 5 + (isSingleSegment(descriptor) ? 0 : 1);
  const sizeAt = dictionaryAt + dictionaryBytes(descriptor);
  if ((descriptor & 0x08) !== 0) throw new Failure("damaged", "a zstd frame has a reserved bit set");
  for (let n = dictionaryAt; n < sizeAt; n++) {
    if (bytes[n] !== 0) throw new Failure("unsupported", "it needs a zstd dictionary");
  }
  const contentBytes = contentSize(bytes, sizeAt, sizeFieldBytes(descriptor));
  const windowBytes = isSingleSegment(descriptor) ? (contentBytes ?? 0) : windowSize(bytes.readUInt8(at + 5));
  if (windowBytes > zstdWindowLimitBytes) {
    throw new Failure(
      "unsupported",
      `it needs a zstd window of ${windowBytes} bytes, more than the ${zstdWindowLimitBytes} allowed`,
      { hint: "compress it without --long, or with at most --long=27" },
    );
  }
  return {
    lengthBytes: sizeAt + sizeFieldBytes(descriptor) - at,
    contentBytes,
    hasChecksum: (descriptor & 0x04) !== 0,
  };
}

export interface ZstdBlockHeader {
  readonly isLast: boolean;
  /** How many bytes follow the three of the header. */
  readonly lengthBytes: number;
}

export const zstdBlockHeaderBytes = 3;
const blockLimitBytes = 128 * 1024;
const zstdChecksumBytes = 4;

/** RFC 8878 §3.1.1.2. */
export function decodeZstdBlock(bytes: Buffer, at: number): ZstdBlockHeader {
  const word = bytes.readUIntLE(at, zstdBlockHeaderBytes);
  const type = (word >>> 1) & 3;
  const sizeBytes = word >>> 3;
  if (type === 3) throw new Failure("damaged", "a zstd block is of a kind that does not exist");
  if (sizeBytes > blockLimitBytes && type !== 1) throw new Failure("damaged", "a zstd block is too long");
  return { isLast: (word & 1) === 1, lengthBytes: type === 1 ? 1 : sizeBytes }; // 1: one byte, repeated
}

/** How many bytes the frame takes that begins at the start of `bytes`. Throws `damaged` where it is not all there. */
export function zstdFrameBytes(bytes: Buffer): number {
  const truncated = new Failure("damaged", "its zstd data ends too soon");
  if (bytes.length < 6) throw truncated;
  if (bytes.readUInt32LE(0) !== zstdMagic) throw new Failure("damaged", "its zstd data does not begin with a frame");
  if (zstdHeaderBytes(bytes, 0) > bytes.length) throw truncated;
  const header = decodeZstdHeader(bytes, 0);
  let at = header.lengthBytes;
  for (let isLast = false; !isLast;) {
    if (at + zstdBlockHeaderBytes > bytes.length) throw truncated;
    const block = decodeZstdBlock(bytes, at);
    at += zstdBlockHeaderBytes + block.lengthBytes;
    isLast = block.isLast;
  }
  if (header.hasChecksum) at += zstdChecksumBytes;
  if (at > bytes.length) throw truncated;
  return at;
}

function isSingleSegment(descriptor: number): boolean {
  return (descriptor & 0x20) !== 0;
}

function dictionaryBytes(descriptor: number): number {
  return dictionaryIdBytes[(descriptor & 3) as 0 | 1 | 2 | 3];
}

function sizeFieldBytes(descriptor: number): number {
  const flag = (descriptor >>> 6) as 0 | 1 | 2 | 3;
  return flag === 0 && isSingleSegment(descriptor) ? 1 : contentSizeBytes[flag];
}

function contentSize(bytes: Buffer, at: number, lengthBytes: number): number | undefined {
  switch (lengthBytes) {
    case 0:
      return undefined;
    case 1:
      return bytes.readUInt8(at);
    case 2:
      return bytes.readUInt16LE(at) + 256;
    case 4:
      return bytes.readUInt32LE(at);
    default:
      return Number(bytes.readBigUInt64LE(at));
  }
}

function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >>> 3));
  return base + (base / 8) * (descriptor & 7);
}
