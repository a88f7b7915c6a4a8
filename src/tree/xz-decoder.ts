import { createHash, type Hash } from "node:crypto";
import * as zlib from "node:zlib";
import { Failure } from "../base/index.ts";
import { Crc64 } from "../bytes/index.ts";
import type { ChunkCursor } from "./chunk-cursor.ts";
import { decodeLzma2, dictionaryLimitBytes } from "./lzma2-decoder.ts";

/**
 * The container of xz (the .xz file format 1.2): streams of blocks, an index and a footer, with a check of the
 * content behind each block. The section numbers are those of that text.
 */

export const xzMagic = Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]);
const footerMagic = 0x5a59; // "YZ"
const headerBytes = 12;
const lzma2Filter = 0x21;

/** Yields the content; each piece is valid until the next is asked for. Reads to the end of the input. */
export async function* decodeXz(cursor: ChunkCursor): AsyncGenerator<Uint8Array, void, void> {
  do yield* decodeStream(cursor);
  while (await findNextStream(cursor));
}

async function* decodeStream(cursor: ChunkCursor): AsyncGenerator<Uint8Array, void, void> {
  const header = await take(cursor, headerBytes); // §2.1.1
  if (!header.subarray(0, 6).equals(xzMagic)) throw damaged("a stream does not start as one");
  const flags = header.readUInt16BE(6);
  expectCrc32(header.subarray(6, 8), header.readUInt32LE(8));
  const written: Written = { blocks: 0, unpaddedBytes: 0, contentBytes: 0 };
  for (;;) {
    const sizeByte = (await take(cursor, 1)).readUInt8(0);
    if (sizeByte === 0) break;
    yield* decodeBlock(cursor, sizeByte, flags, written);
  }
  const indexBytes = await checkIndex(cursor, written);
  const footer = await take(cursor, headerBytes); // §2.1.2
  expectCrc32(footer.subarray(4, 10), footer.readUInt32LE(0));
  const isRight =
    footer.readUInt16LE(10) === footerMagic &&
    footer.readUInt16BE(8) === flags &&
    (footer.readUInt32LE(4) + 1) * 4 === indexBytes;
  if (!isRight) throw damaged("the end of a stream does not fit its start");
}

/** Streams may follow each other with zeros between them, in fours (§2.2). False at the end. */
async function findNextStream(cursor: ChunkCursor): Promise<boolean> {
  for (;;) {
    if (!(await cursor.ensure(4))) {
      if (cursor.available > 0) throw damaged("something stands behind its end");
      return false;
    }
    if (cursor.buffer.readUInt32LE(cursor.at) !== 0) return true;
    cursor.at += 4;
  }
}

/** What the blocks came to, which the index has to say again. */
interface Written {
  blocks: number;
  unpaddedBytes: number;
  contentBytes: number;
}

interface BlockHeader {
  readonly dictionaryBytes: number;
  readonly packedBytes: number | undefined;
  readonly contentBytes: number | undefined;
}

async function* decodeBlock(
  cursor: ChunkCursor,
  sizeByte: number,
  flags: number,
  written: Written,
): AsyncGenerator<Uint8Array, void, void> {
  const headerBytes = (sizeByte + 1) * 4;
  const header = decodeBlockHeader(sizeByte, await take(cursor, headerBytes - 1));
  const check = contentCheck(flags);
  const start = cursor.position;
  let contentBytes = 0;
  for await (const piece of decodeLzma2(cursor, header.dictionaryBytes)) {
    check.update(piece);
    contentBytes += piece.length;
    yield piece;
  }
  const packedBytes = cursor.position - start;
  if ((header.packedBytes ?? packedBytes) !== packedBytes || (header.contentBytes ?? contentBytes) !== contentBytes) {
    throw damaged("a block has another size than it says");
  }
  const padding = await take(cursor, -packedBytes & 3);
  if (padding.some((byte) => byte !== 0)) throw damaged("a block is not filled up with zeros");
  if (!(await take(cursor, check.sizeBytes)).equals(check.digest())) throw damaged("a checksum is wrong");
  written.blocks++;
  written.unpaddedBytes += headerBytes + packedBytes + check.sizeBytes;
  written.contentBytes += contentBytes;
}

/** §3.1; `bytes` are those after the first. */
function decodeBlockHeader(sizeByte: number, bytes: Buffer): BlockHeader {
  const fieldsEnd = bytes.length - 4;
  expectCrc32(Buffer.concat([Buffer.of(sizeByte), bytes.subarray(0, fieldsEnd)]), bytes.readUInt32LE(fieldsEnd));
  const flags = bytes.readUInt8(0);
  if ((flags & 0x3c) !== 0) throw new Failure("unsupported", "its xz blocks have flags that are not known");
  const fields = { bytes: bytes.subarray(1, fieldsEnd), at: 0 };
  const packedBytes = (flags & 0x40) === 0 ? undefined : readNumber(fields);
  const contentBytes = (flags & 0x80) === 0 ? undefined : readNumber(fields);
  const filter = readNumber(fields);
  const settingBytes = readNumber(fields);
  if ((flags & 0x03) !== 0 || filter !== lzma2Filter) {
    throw new Failure("unsupported", "it is packed by xz with a filter other than LZMA2", {
      hint: "unpack it with xz and give the result",
    });
  }
  const setting = fields.bytes[fields.at++];
  if (settingBytes !== 1 || setting === undefined) throw damaged("a block's filter is set wrongly");
  if (fields.bytes.subarray(fields.at).some((byte) => byte !== 0)) throw damaged("a block's header has more in it");
  return { dictionaryBytes: dictionarySize(setting), packedBytes, contentBytes };
}

/** §5.3.1. */
function dictionarySize(setting: number): number {
  if (setting > 40) throw damaged("a block's dictionary has no size");
  const sizeBytes = setting === 40 ? 2 ** 32 - 1 : (2 | (setting & 1)) * 2 ** (Math.floor(setting / 2) + 11);
  if (sizeBytes <= dictionaryLimitBytes) return sizeBytes;
  const message = `it needs an xz dictionary of ${sizeBytes} bytes, more than the ${dictionaryLimitBytes} allowed`;
  throw new Failure("unsupported", message, { hint: "pack it with xz -9 or less" });
}

/** §4: the index says how long each block is. Gives its length in bytes. */
async function checkIndex(cursor: ChunkCursor, written: Written): Promise<number> {
  let crc = zlib.crc32(Buffer.of(0));
  let length = 1;
  const next = async (): Promise<number> => {
    const bytes = Buffer.from(await take(cursor, 1));
    crc = zlib.crc32(bytes, crc);
    length++;
    return bytes.readUInt8(0);
  };
  const nextNumber = async (): Promise<number> => {
    const field: number[] = [];
    do field.push(await next());
    while (((field.at(-1) ?? 0) & 0x80) !== 0 && field.length < numberLimitBytes);
    return readNumber({ bytes: Buffer.from(field), at: 0 });
  };
  const blocks = await nextNumber();
  if (blocks !== written.blocks) throw damaged("its index counts other blocks");
  let unpaddedBytes = 0;
  let contentBytes = 0;
  for (let n = 0; n < blocks; n++) {
    unpaddedBytes += await nextNumber();
    contentBytes += await nextNumber();
  }
  if (unpaddedBytes !== written.unpaddedBytes || contentBytes !== written.contentBytes) {
    throw damaged("its index does not fit its blocks");
  }
  while (length % 4 !== 0) if ((await next()) !== 0) throw damaged("its index is not filled up with zeros");
  if ((await take(cursor, 4)).readUInt32LE(0) !== crc) throw damaged("the checksum of its index is wrong");
  return length + 4;
}

const numberLimitBytes = 9;

/** §1.2: seven bits a byte, the lowest first. */
function readNumber(from: { readonly bytes: Buffer; at: number }): number {
  let value = 0;
  for (let n = 0; n < numberLimitBytes; n++) {
    const byte = from.bytes[from.at++];
    if (byte === undefined) break;
    value += (byte & 0x7f) * 2 ** (7 * n);
    if ((byte & 0x80) !== 0) continue;
    if (!Number.isSafeInteger(value)) break;
    return value;
  }
  throw damaged("a number in it has no end");
}

interface ContentCheck {
  readonly sizeBytes: number;
  update(bytes: Uint8Array): void;
  digest(): Buffer;
}

/** §2.1.1.2: the kind of check of all blocks of a stream. */
function contentCheck(flags: number): ContentCheck {
  switch (flags) {
    case 0x00:
      return { sizeBytes: 0, update: () => undefined, digest: () => Buffer.alloc(0) };
    case 0x01:
      return crc32Check();
    case 0x04:
      return crc64Check();
    case 0x0a:
      return hashCheck(createHash("sha256"));
    default:
      throw new Failure("unsupported", `it is checked by xz in the way ${flags}, which is not known`);
  }
}

function crc32Check(): ContentCheck {
  let crc = 0;
  return {
    sizeBytes: 4,
    update(bytes) {
      crc = zlib.crc32(bytes, crc);
    },
    digest() {
      const value = Buffer.alloc(4);
      value.writeUInt32LE(crc);
      return value;
    },
  };
}

function crc64Check(): ContentCheck {
  const crc = new Crc64();
  return {
    sizeBytes: 8,
    update: (bytes) => crc.update(bytes),
    digest() {
      const value = Buffer.alloc(8);
      value.writeBigUInt64LE(crc.digest());
      return value;
    },
  };
}

function hashCheck(hash: Hash): ContentCheck {
  return { sizeBytes: 32, update: (bytes) => void hash.update(bytes), digest: () => hash.digest() };
}

/** Those bytes, valid until the next are asked for. */
async function take(cursor: ChunkCursor, lengthBytes: number): Promise<Buffer> {
  if (!(await cursor.ensure(lengthBytes))) throw damaged("it ends before its end");
  cursor.at += lengthBytes;
  return cursor.buffer.subarray(cursor.at - lengthBytes, cursor.at);
}

function expectCrc32(bytes: Buffer, crc: number): void {
  if (zlib.crc32(bytes) !== crc) throw damaged("the checksum of a header is wrong");
}

function damaged(what: string): Failure {
  return new Failure("damaged", what);
}
