import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32 } from "node:zlib";
import { PartcloneReader, readBlocks, readImageHead } from "../../src/backup/partclone/index.ts";
import { Failure } from "../../src/base/index.ts";
import { MemoryDevice, readBytes } from "../../src/device/index.ts";
import { ChunkCursor } from "../../src/tree/index.ts";
import { sampleBlocks, sampleContent, sampleImage, sampleImageV1, type SampleImage } from "./sample-image.ts";

const blockBytes = 512;
const blocks = sampleBlocks(100, blockBytes);
const content = sampleContent(blocks, blockBytes);
const usual: SampleImage = { blockBytes, blocks, checksum: "crc32", stripBlocks: 9, reseed: true, bitmapForm: "bits" };

async function* chunksOf(bytes: Buffer, chunkBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield Buffer.from(bytes.subarray(at, at + chunkBytes));
}

/** What the image restores to, missing blocks as zeros. */
async function restored(image: Buffer, chunkBytes = 1000): Promise<Buffer> {
  const cursor = new ChunkCursor(chunksOf(image, chunkBytes));
  const head = await readImageHead(cursor);
  const target = Buffer.alloc(head.description.deviceBytes);
  for await (const batch of readBlocks(cursor, head)) for (const { at, bytes } of batch) target.set(bytes, at);
  return target;
}

async function readerOf(image: Buffer): Promise<PartcloneReader> {
  const head = await readImageHead(new ChunkCursor(chunksOf(image, 1000)));
  return new PartcloneReader(new MemoryDevice(image), head);
}

const kinds: readonly Partial<SampleImage>[] = [
  {},
  { checksum: "none" },
  { checksum: "xxh64" },
  { checksum: "xxh3-128" },
  { reseed: false },
  { checksum: "xxh64", reseed: false },
  { checksum: "xxh3-128", reseed: false },
  { stripBlocks: 1 },
  { stripBlocks: blocks.filter((block) => block !== undefined).length }, // which ends with a full strip
  { stripBlocks: 1000 },
  { bitmapForm: "bytes" },
  { bitmapForm: "none", blocks: blocks.map((block) => block ?? Buffer.alloc(blockBytes, 9)) },
  { blocks: blocks.map(() => undefined) },
];

for (const kind of kinds) {
  const { blocks: own, ...named } = kind;
  const what = `${JSON.stringify(named)}${own === undefined ? "" : ` with ${own[0] === undefined ? "no" : "all"} blocks`}`;
  test(`an image of version 2 is restored, and read anywhere: ${what}`, async () => {
    const sample = { ...usual, ...kind };
    const wanted = sampleContent(sample.blocks, blockBytes);
    const image = sampleImage(sample);
    for (const chunkBytes of [13, 511, 100_000]) assert.ok((await restored(image, chunkBytes)).equals(wanted));
    const reader = await readerOf(image);
    assert.equal(reader.sizeBytes, wanted.length);
    for (const [at, length] of [
      [0, wanted.length],
      [1, 5000],
      [511, 2],
      [20_000, 13_000],
      [wanted.length - 1, 1],
    ] as const) {
      assert.ok(wanted.subarray(at, at + length).equals(await readBytes(reader, at, length)), `${length} at ${at}`);
    }
  });
}

for (const junkBytes of [0, 4] as const) {
  test(`an image of version 1 is restored, with ${junkBytes} bytes behind its checksums`, async () => {
    const image = sampleImageV1(blocks, { blockBytes, junkBytes, fileSystem: "EXTFS" });
    assert.ok((await restored(image)).equals(content));
    assert.ok(content.equals(await readBytes(await readerOf(image), 0, content.length)));
  });
}

test("a version 1 image in which a block was lost is found out", async () => {
  const image = sampleImageV1(blocks, { blockBytes, junkBytes: 0, fileSystem: "EXTFS" });
  const at = 4160 + blocks.length + 8 + 2 * (blockBytes + 4);
  const shorter = Buffer.concat([image.subarray(0, at), image.subarray(at + blockBytes + 4)]);
  await assert.rejects(restored(shorter), /checksum of the blocks|ends/);
});

test("a flipped bit anywhere in a version 2 image is found out", async () => {
  for (const checksum of ["crc32", "xxh64", "xxh3-128"] as const) {
    const image = sampleImage({ ...usual, checksum });
    for (let at = 0; at < image.length; at += at < 200 ? 1 : 997) {
      const broken = Buffer.from(image);
      broken[at] = broken[at]! ^ 0x10;
      await assert.rejects(restored(broken), Failure, `${checksum}, byte ${at}`);
    }
  }
});

test("an image that ends early, or goes on, is found out", async () => {
  const image = sampleImage(usual);
  for (let length = 0; length < image.length; length += 611) {
    await assert.rejects(
      restored(image.subarray(0, length)),
      (error) => error instanceof Failure && error.code === "damaged",
    );
  }
  await assert.rejects(restored(Buffer.concat([image, Buffer.alloc(1)])), /bytes follow behind its last block/);
});

/** The header with fields changed, and its checksum right again. */
function withHeader(change: (header: Buffer) => void): Buffer {
  const image = sampleImage(usual);
  change(image);
  return resealed(image);
}

function resealed(image: Buffer): Buffer {
  image.writeUInt32LE(~crc32(image.subarray(0, 106)) >>> 0, 106);
  return image;
}

const refusals: readonly (readonly [string, (header: Buffer) => void, RegExp])[] = [
  ["another byte order", (header) => header.writeUInt16BE(0xc0de, 34), /another byte order/],
  ["a version to come", (header) => header.write("0003", 30, "latin1"), /version "0003"/],
  ["no magic", (header) => header.write("partclone-imago", 0, "latin1"), /does not begin as a partclone image/],
  ["blocks of no bytes", (header) => header.writeUInt32LE(0, 84), /blocks of 0 bytes/],
  ["blocks above the limit", (header) => header.writeUInt32LE(64 * 2 ** 20 + 1, 84), /says 100 blocks|blocks of/],
  ["more blocks than device", (header) => header.writeBigUInt64LE(101n, 60), /101 blocks for/],
  ["a number of blocks that is none", (header) => header.writeBigUInt64LE(2n ** 60n, 60), /cannot be/],
  ["options to come", (header) => header.writeUInt16LE(3, 92), /options of version 3/],
  ["an unknown checksum", (header) => header.writeUInt16LE(0x32, 96), /checksums of kind 50/],
  ["a checksum of another size", (header) => header.writeUInt16LE(8, 98), /8 bytes for a checksum/],
  ["strips of no blocks", (header) => header.writeUInt32LE(0, 100), /covers 0 blocks/],
  ["an unknown bitmap", (header) => header.writeUInt8(2, 105), /bitmap of kind 2/],
];

for (const [what, change, message] of refusals) {
  test(`an image with ${what} is refused`, async () => {
    await assert.rejects(restored(withHeader(change)), message);
  });
}

test("as many blocks as the limit are read, one more is not, and a bitmap that is not there takes no memory", async () => {
  const claiming = (blockCount: bigint): Buffer => {
    const image = sampleImage(usual);
    image.writeBigUInt64LE(blockCount, 60);
    image.writeBigUInt64LE(blockCount * 512n, 52);
    return resealed(image);
  };
  await assert.rejects(restored(claiming(2n ** 32n - 1n)), /ends in its bitmap/);
  await assert.rejects(restored(claiming(2n ** 32n)), /at most 4294967295 are read/);
});
