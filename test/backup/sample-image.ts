import { crc32 } from "node:zlib";
import { Xxhash3, xxhash64 } from "../../src/bytes/index.ts";

export type SampleChecksum = "none" | "crc32" | "xxh64" | "xxh3-128";

export interface SampleImage {
  readonly blockBytes: number;
  /** Of every block, or undefined where it is not in the image. */
  readonly blocks: readonly (Buffer | undefined)[];
  readonly checksum: SampleChecksum;
  readonly stripBlocks: number;
  readonly reseed: boolean;
  readonly bitmapForm: "bits" | "bytes" | "none";
}

const codes = { none: [0, 0], crc32: [0x20, 4], xxh64: [0x30, 8], "xxh3-128": [0x31, 16] } as const;
const forms = { none: 0, bits: 1, bytes: 8 } as const;
const raw = (bytes: Uint8Array): number => ~crc32(bytes) >>> 0;

function sumOf(kind: SampleChecksum, data: Buffer): Buffer {
  if (kind === "none") return Buffer.alloc(0);
  const bytes = Buffer.alloc(codes[kind][1]);
  if (kind === "crc32") bytes.writeUInt32LE(raw(data));
  if (kind === "xxh64") bytes.writeBigUInt64LE(xxhash64(data));
  if (kind === "xxh3-128") {
    const hash = new Xxhash3();
    hash.update(data);
    const { low, high } = hash.digest();
    bytes.writeBigUInt64LE(low, 0);
    bytes.writeBigUInt64LE(high, 8);
  }
  return bytes;
}

/** An image of version 2, put together as docs/formats/partclone.md says. */
export function sampleImage(sample: SampleImage): Buffer {
  const { blocks, blockBytes, checksum, stripBlocks, bitmapForm } = sample;
  const used = blocks.flatMap((block) => (block === undefined ? [] : [block]));
  const header = Buffer.alloc(110);
  header.write("partclone-image", 0, "latin1");
  header.write("0.3.47", 16, "latin1");
  header.write("0002", 30, "latin1");
  header.writeUInt16LE(0xc0de, 34);
  header.write("EXTFS", 36, "latin1");
  header.writeBigUInt64LE(BigInt(blocks.length * blockBytes), 52);
  header.writeBigUInt64LE(BigInt(blocks.length), 60);
  header.writeBigUInt64LE(BigInt(used.length), 76);
  header.writeUInt32LE(blockBytes, 84);
  header.writeUInt32LE(18, 88);
  header.writeUInt16LE(2, 92);
  header.writeUInt16LE(64, 94);
  header.writeUInt16LE(codes[checksum][0], 96);
  header.writeUInt16LE(codes[checksum][1], 98);
  header.writeUInt32LE(checksum === "none" ? 0 : stripBlocks, 100);
  header[104] = sample.reseed ? 1 : 0;
  header[105] = forms[bitmapForm];
  header.writeUInt32LE(raw(header.subarray(0, 106)), 106);

  const bits = Buffer.alloc(Math.ceil(blocks.length / 8), bitmapForm === "bits" ? 0xff : 0);
  blocks.forEach((block, n) => {
    const [byte, bit] = [n >> 3, 1 << (n & 7)];
    bits[byte] = block === undefined ? bits[byte]! & ~bit : bits[byte]! | bit;
  });
  const bitmapSum = Buffer.alloc(4);
  bitmapSum.writeUInt32LE(raw(bits));
  const bytes = Buffer.from(blocks.map((block) => (block === undefined ? 2 : 1)));
  const stored = bitmapForm === "bits" ? bits : bytes;
  const parts: Uint8Array[] = bitmapForm === "none" ? [header] : [header, stored, bitmapSum];
  for (let at = 0; at < used.length; at += checksum === "none" ? used.length : stripBlocks) {
    const strip = checksum === "none" ? used : used.slice(at, at + stripBlocks);
    const covered = sample.reseed ? strip : used.slice(0, at + strip.length);
    parts.push(...strip, sumOf(checksum, Buffer.concat(covered)));
  }
  return Buffer.concat(parts);
}

/** An image of version 1; `junkBytes` follow each checksum, as 64-bit programs before 0.1.0 wrote them. */
export function sampleImageV1(
  blocks: readonly (Buffer | undefined)[],
  { blockBytes, junkBytes, fileSystem }: { blockBytes: number; junkBytes: 0 | 4; fileSystem: string },
): Buffer {
  const header = Buffer.alloc(4160);
  header.write("partclone-image", 0, "latin1");
  header.write(fileSystem, 15, "latin1");
  header.write("0001", 30, "latin1");
  header.writeInt32LE(blockBytes, 36);
  header.writeBigUInt64LE(BigInt(blocks.length * blockBytes), 40);
  header.writeBigUInt64LE(BigInt(blocks.length), 48);
  header.writeBigUInt64LE(BigInt(blocks.filter((block) => block !== undefined).length), 56);
  const parts: Uint8Array[] = [
    header,
    Buffer.from(blocks.map((block) => (block === undefined ? 0 : 1))),
    Buffer.from("BiTmAgIc"),
  ];
  let crc = 0;
  for (const block of blocks) {
    if (block === undefined) continue;
    crc = crc32(Buffer.alloc(blockBytes, block[0]), crc);
    const sum = Buffer.alloc(4 + junkBytes, 0x5a);
    sum.writeUInt32LE(~crc >>> 0);
    parts.push(block, sum);
  }
  return Buffer.concat(parts);
}

/** Blocks of which some are missing, none like another. */
export function sampleBlocks(count: number, blockBytes: number): (Buffer | undefined)[] {
  return Array.from({ length: count }, (_, n) => {
    if (n % 7 === 3 || (n > 40 && n < 60)) return undefined;
    return Buffer.from(Array.from({ length: blockBytes }, (__, at) => (n * 31 + at * 7 + (at >> 5)) & 0xff));
  });
}

/** The file system that the blocks make, missing ones as zeros. */
export function sampleContent(blocks: readonly (Buffer | undefined)[], blockBytes: number): Buffer {
  return Buffer.concat(blocks.map((block) => block ?? Buffer.alloc(blockBytes)));
}
