import { crc32 } from "node:zlib";
import { dictionaryCode, encodeLzma2 } from "./lzma2.ts";

/** The .xz file format 1.2.0: a stream of blocks, each complete in itself, with an index of them at its end. */
const streamMagic = Buffer.from("fd377a585a00", "hex");
const footerMagic = Buffer.from("YZ");
/** Blocks are followed by a CRC-32 of their content. */
const usualFlags = 0x0001;
const checkBytes = 4;
/** One filter, with the lengths of what is packed and of the content. */
const blockFlags = 0xc0;
const lzma2Filter = 0x21;

/** A block as the index lists it. */
export interface XzBlock {
  /** Without the zeros that bring it to a multiple of four bytes. */
  readonly unpaddedBytes: number;
  readonly plainBytes: number;
}

/** What stands in front of the blocks. */
export function encodeXzStart(flags = usualFlags): Uint8Array<ArrayBuffer> {
  const bytes = Buffer.alloc(8);
  streamMagic.copy(bytes);
  bytes.writeUInt16BE(flags, 6);
  return withCrc(bytes, 6);
}

/** At least four bytes as a block of a stream. Its length is a multiple of four without padding. */
export function encodeXzBlock(data: Uint8Array): Uint8Array<ArrayBuffer> {
  const packed = encodeLzma2(data);
  const fields = Buffer.from([blockFlags, ...vli(packed.length), ...vli(data.length), lzma2Filter, 1, dictionaryCode]);
  const header = Buffer.alloc(Math.ceil((1 + fields.length) / 4) * 4);
  header[0] = header.length / 4;
  fields.copy(header, 1);
  const check = Buffer.alloc(checkBytes);
  check.writeUInt32LE(crc32(data));
  return Buffer.concat([withCrc(header), packed, check]);
}

/** How long the content of such a block is, by its header. */
export function xzBlockPlainBytes(block: Uint8Array): number {
  let at = 2;
  const number = (): number => {
    for (let [value, factor] = [0, 1]; ; factor *= 0x80) {
      const byte = block[at++] ?? 0;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  };
  number(); // of what is packed
  return number();
}

/** What stands behind the blocks. */
export function encodeXzIndex(blocks: readonly XzBlock[], flags = usualFlags): Uint8Array<ArrayBuffer> {
  const fields: number[] = [0, ...vli(blocks.length)];
  for (const { unpaddedBytes, plainBytes } of blocks) {
    for (const byte of vli(unpaddedBytes)) fields.push(byte);
    for (const byte of vli(plainBytes)) fields.push(byte);
  }
  while (fields.length % 4 !== 0) fields.push(0);
  const index = withCrc(Buffer.from(fields));
  const footer = Buffer.alloc(6);
  footer.writeUInt32LE(index.length / 4 - 1);
  footer.writeUInt16BE(flags, 4);
  const crc = Buffer.alloc(4);
  crc.writeUInt32LE(crc32(footer));
  return Buffer.concat([index, crc, footer, footerMagic]);
}

/** Seven bits a byte, the lowest first. */
function vli(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return [...bytes, rest];
}

function withCrc(bytes: Buffer, from = 0): Buffer<ArrayBuffer> {
  const crc = Buffer.alloc(4);
  crc.writeUInt32LE(crc32(bytes.subarray(from)));
  return Buffer.concat([bytes, crc]);
}
