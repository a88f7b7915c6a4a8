import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { test } from "node:test";
import * as zlib from "node:zlib";
import * as fc from "fast-check";
import { Failure } from "../../src/base/index.ts";
import { decompress } from "../../src/tree/decompress.ts";
import { skipWithout } from "../peers/peer.ts";
import { temporaryFolder } from "../temp.ts";

/** The bytes in chunks that are all in one buffer, as a file's are: a chunk is overwritten by the next. */
async function* chunksOf(bytes: Uint8Array, chunkBytes: number): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(chunkBytes);
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    const piece = bytes.subarray(at, at + chunkBytes);
    buffer.fill(0xee);
    buffer.set(piece);
    yield buffer.subarray(0, piece.length);
  }
}

async function unpacked(bytes: Uint8Array, chunkBytes = 10_000): Promise<Buffer> {
  const { chunks } = await decompress(chunksOf(bytes, chunkBytes), "test");
  const pieces: Buffer[] = [];
  for await (const chunk of chunks) pieces.push(Buffer.from(chunk));
  return Buffer.concat(pieces);
}

const sample = Buffer.concat(Array.from({ length: 3000 }, (_, n) => Buffer.from(`line ${n * n} of the sample\n`)));
const isFailure = (error: unknown): boolean => error instanceof Failure;

function compressBy(program: string, args: readonly string[], bytes: Uint8Array): Buffer {
  return execFileSync(program, args, { input: bytes, maxBuffer: 2 ** 28 });
}

test("plain bytes pass through, however they are cut", async () => {
  for (const chunkBytes of [1, 7, 100_000]) assert.ok((await unpacked(sample, chunkBytes)).equals(sample));
  assert.equal((await unpacked(new Uint8Array(0))).length, 0);
});

test("several gzip members and several zstd frames are read to the last", async () => {
  const twice = Buffer.concat([sample, sample]);
  const gzip = zlib.gzipSync(sample);
  assert.ok((await unpacked(Buffer.concat([gzip, gzip]))).equals(twice));
  const zstd = zlib.zstdCompressSync(sample);
  const skippable = Buffer.from("502a4d1803000000aabbcc", "hex");
  const frames = Buffer.concat([skippable, zstd, skippable, zlib.zstdCompressSync(Buffer.alloc(0)), zstd, skippable]);
  for (const chunkBytes of [1, 13, 4096]) assert.ok((await unpacked(frames, chunkBytes)).equals(twice));
});

test("what the programs compress is read", { skip: skipWithout("gzip", "xz", "zstd", "lz4") }, async () => {
  const large = Buffer.concat(Array.from({ length: 40 }, () => sample));
  const commands: [string, ...string[]][] = [
    ["gzip", "-9"],
    ["xz", "-1"],
    ["xz", "-6", "-T2", "--block-size=100000"],
    ["xz", "--check=crc32"],
    ["xz", "--check=none"],
    ["zstd", "-3"],
    ["zstd", "-1", "-T2", "--no-check"],
    ["zstd", "--long=27", "-5"],
    ["lz4", "-q", "-l"],
    ["lz4", "-q", "-l", "-9"],
    ["lz4", "-q", "-9"],
    ["lz4", "-q", "-1", "-B4", "-BD"],
    ["lz4", "-q", "-B5", "-BX", "--content-size"],
    ["lz4", "-q", "--no-frame-crc"],
  ];
  for (const [program, ...args] of commands) {
    const packed = compressBy(program, [...args, "-c"], large);
    assert.ok((await unpacked(packed)).equals(large), `${program} ${args.join(" ")}`);
  }
});

test("what cannot be read says so, and what to do", { skip: skipWithout("xz") }, async () => {
  await assert.rejects(unpacked(Buffer.from("BZh91AY&SY")), { code: "unsupported" });
  const filtered = compressBy("xz", ["--x86", "--lzma2=preset=1", "-c"], sample);
  await assert.rejects(
    unpacked(filtered),
    (error: Failure) => error.code === "unsupported" && error.hint !== undefined,
  );
});

test(
  "several LZ4 frames are read to the last, and what cannot be packed as it is",
  { skip: skipWithout("lz4") },
  async () => {
    const noise = Buffer.from(Array.from({ length: 300_000 }, (_, n) => (n * n * 7919) >>> 9));
    const frames = ["-l", "-9", "-B4"].map((option) =>
      compressBy("lz4", ["-q", option, "-c"], option === "-9" ? noise : sample),
    );
    const skippable = Buffer.from("502a4d1803000000aabbcc", "hex");
    const all = Buffer.concat(frames.flatMap((frame) => [frame, skippable]));
    for (const chunkBytes of [13, 4096, 10_000_000]) {
      assert.ok((await unpacked(all, chunkBytes)).equals(Buffer.concat([sample, noise, sample])));
    }
  },
);

test("truncated data is damage, wherever it ends", { skip: skipWithout("xz", "lz4") }, async () => {
  const byPrograms = [compressBy("xz", ["-c"], sample), compressBy("lz4", ["-q", "-c"], sample)];
  for (const packed of [zlib.gzipSync(sample), zlib.zstdCompressSync(sample), ...byPrograms]) {
    for (const at of [7, 11, 20, packed.length >> 1, packed.length - 1]) {
      await assert.rejects(unpacked(packed.subarray(0, at)), { code: "damaged" }, `${packed.length} cut at ${at}`);
    }
  }
});

test("damaged data never gives anything but the data or a failure", { skip: skipWithout("xz", "lz4") }, async () => {
  const byPrograms = [compressBy("xz", ["-c"], sample), compressBy("lz4", ["-q", "-BX", "-c"], sample)];
  const packed = [zlib.gzipSync(sample), zlib.zstdCompressSync(sample), ...byPrograms];
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...packed),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      async (whole, at, mask) => {
        const broken = Buffer.from(whole);
        const place = at % broken.length;
        broken[place] = (broken[place] ?? 0) ^ mask;
        try {
          await unpacked(broken);
        } catch (error) {
          assert.ok(isFailure(error), String(error));
        }
      },
    ),
    { numRuns: 300 },
  );
});

test("a reader that gives up leaves nothing running", async () => {
  await using folder = temporaryFolder();
  const file = folder.join("packed");
  fs.writeFileSync(file, zlib.gzipSync(Buffer.alloc(20_000_000, "x")));
  const { chunks } = await decompress(fs.createReadStream(file), file);
  for await (const chunk of chunks) {
    assert.ok(chunk.length > 0);
    break;
  }
});
