import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import * as zlib from "node:zlib";
import * as fc from "fast-check";
import { Failure } from "../../src/base/index.ts";
import { decompress } from "../../src/tree/decompress.ts";
import type { TreeSource } from "../../src/tree/index.ts";
import { pathLimit } from "../../src/tree/tar-path.ts";
import { paxLimitBytes } from "../../src/tree/tar-parser.ts";
import { encodePaxRecord } from "../../src/tree/tar-pax.ts";
import { sparseMapLimitBytes } from "../../src/tree/tar-sparse.ts";
import { TarReader } from "../../src/tree/tar-reader.ts";
import { skipWithout } from "../peers/peer.ts";
import { randomTree, sourceOf } from "../filesystem/random-tree.ts";
import { entriesOf, readerOver, readWhole, reusedChunks, tarOf } from "./tar-tree.ts";

const sample = await tarOf(entriesOf(sourceOf(fc.sample(randomTree(25), { numRuns: 1, seed: 11 })[0]!)));

/** Reads all, gives content up where it would be large. Only a `Failure` may come out. */
async function outcome(source: TreeSource): Promise<"read" | Failure["code"]> {
  try {
    for await (const entry of entriesOf(source)) {
      if (entry.kind === "hardlink") continue;
      let end = 0;
      for await (const piece of entry.content ?? []) {
        assert.ok(piece.at >= end && piece.bytes.length > 0);
        end = piece.at + piece.bytes.length;
        assert.ok(end <= entry.sizeBytes);
      }
    }
    return "read";
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return error.code;
  }
}

async function outcomePacked(bytes: Uint8Array): Promise<"read" | Failure["code"]> {
  try {
    const { chunks } = await decompress(reusedChunks(bytes, 10_000), "test.tar.x");
    return await outcome(new TarReader(chunks, { name: "test.tar.x" }));
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return error.code;
  }
}

const flips = fc.array(
  fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
    mask: fc.integer({ min: 1, max: 255 }),
  }),
  {
    minLength: 1,
    maxLength: 8,
  },
);

function flipped(bytes: Buffer, places: readonly { readonly at: number; readonly mask: number }[]): Buffer {
  const copy = Buffer.from(bytes);
  for (const { at, mask } of places) {
    const place = Math.floor(at * copy.length);
    copy[place] = copy[place]! ^ mask;
  }
  return copy;
}

/** So that what is behind the checksum is reached. */
function withRightChecksums(bytes: Buffer): Buffer {
  for (let at = 0; at < bytes.length; at += 512) {
    const block = bytes.subarray(at, at + 512);
    if (block.toString("latin1", 257, 262) !== "ustar") continue;
    block.fill(0x20, 148, 156);
    const sum = block.reduce((total, byte) => total + byte, 0);
    block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  }
  return bytes;
}

test("changed bytes end in a failure or in a tree, checksums put right or not", async () => {
  await fc.assert(
    fc.asyncProperty(flips, fc.boolean(), async (places, isRepaired) => {
      const bytes = flipped(sample, places);
      await outcome(readerOver(isRepaired ? withRightChecksums(bytes) : bytes));
    }),
    { numRuns: 400 },
  );
});

test("changed headers whose checksums are right end in a failure or in a tree", async () => {
  const headers: number[] = [];
  for (let at = 0; at < sample.length; at += 512) {
    if (sample.toString("latin1", at + 257, at + 262) === "ustar") headers.push(at);
  }
  const places = fc.record({ header: fc.nat(), offset: fc.nat({ max: 511 }), byte: fc.nat({ max: 255 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(places, { minLength: 1, maxLength: 3 }), async (list) => {
      const bytes = Buffer.from(sample);
      for (const { header, offset, byte } of list) bytes[headers[header % headers.length]! + offset] = byte;
      await outcome(readerOver(withRightChecksums(bytes)));
    }),
    { numRuns: 400 },
  );
});

test("a tar that was cut short anywhere before its end mark is damaged", async () => {
  let end = sample.length;
  while (sample[end - 1] === 0) end--;
  const last = Math.ceil(end / 512) * 512;
  for (const cut of [
    0,
    1,
    511,
    512,
    513,
    1024,
    ...Array.from({ length: 40 }, (_, n) => Math.floor((last * n) / 40)),
    last,
  ]) {
    assert.equal(await outcome(readerOver(sample.subarray(0, cut))), "damaged", `cut at ${cut}`);
  }
  assert.equal(await outcome(readerOver(sample.subarray(0, last + 512))), "read");
});

const packed = {
  gzip: zlib.gzipSync(sample),
  zstd: zlib.zstdCompressSync(sample, { params: { [zlib.constants.ZSTD_c_checksumFlag]: 1 } }),
};

const noXz = skipWithout("xz");
const xzSample = noXz === false ? execFileSync("xz", ["-9", "--block-size=40000"], { input: sample }) : undefined;

for (const [format, bytes] of Object.entries({ ...packed, xz: xzSample })) {
  test(`${format}: is read whole; changed or cut short, it fails`, { skip: bytes === undefined && noXz }, async () => {
    assert.ok(bytes);
    assert.equal(await outcomePacked(bytes), "read");
    for (let n = 0; n < 40; n++) {
      const cut = Math.floor((bytes.length * n) / 40);
      assert.equal(await outcomePacked(bytes.subarray(0, cut)), "damaged", `cut at ${cut}`);
    }
    assert.equal(await outcomePacked(bytes.subarray(0, -1)), "damaged");
    await fc.assert(
      fc.asyncProperty(flips, async (places) => void (await outcomePacked(flipped(bytes, places)))),
      { numRuns: 150 },
    );
  });
}

test("changed content of what has checksums is never taken for whole", async () => {
  for (const bytes of [packed.zstd, ...(xzSample === undefined ? [] : [xzSample])]) {
    for (let n = 1; n < 60; n++) {
      const place = { at: (0.9 * n) / 60 + 0.05, mask: 1 << (n % 8) };
      const unpacked = await unpack(flipped(bytes, [place]));
      assert.ok(unpacked === undefined || unpacked.equals(sample));
    }
  }
});

/** The content, undefined where unpacking fails. */
async function unpack(bytes: Uint8Array): Promise<Buffer | undefined> {
  const parts: Buffer[] = [];
  try {
    const { chunks } = await decompress(reusedChunks(bytes, 10_000), "test.tar.x");
    for await (const chunk of chunks) parts.push(Buffer.from(chunk));
    return Buffer.concat(parts);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return undefined;
  }
}

/** A member of a tar by hand, its checksum yet to be put right. */
function member(type: string, body: Buffer): Buffer {
  const header = Buffer.alloc(512);
  header.write("./name", 0);
  header.write(body.length.toString(8).padStart(11, "0"), 124);
  header.write(type, 156);
  header.write("ustar", 257);
  return Buffer.concat([header, body, Buffer.alloc(-body.length & 511)]);
}

function tarByHand(...members: readonly Buffer[]): Buffer {
  return withRightChecksums(Buffer.concat([...members, Buffer.alloc(1024)]));
}

test("metadata at its limit is read, one byte past it is damaged", async () => {
  const file = member("0", Buffer.alloc(0));
  const whole = (front: Buffer): Buffer => tarByHand(front, file);
  const pax = (lengthBytes: number): Buffer => {
    const spare = encodePaxRecord("comment", Buffer.alloc(lengthBytes - 100));
    const rest = lengthBytes - spare.length;
    return Buffer.concat([spare, encodePaxRecord("comment", Buffer.alloc(rest - 12 - (rest > 99 ? 1 : 0)))]);
  };
  assert.equal(pax(paxLimitBytes).length, paxLimitBytes);
  assert.equal(await outcome(readerOver(whole(member("x", pax(paxLimitBytes))))), "read");
  assert.equal(await outcome(readerOver(whole(member("x", pax(paxLimitBytes + 1))))), "damaged");
  const [read] = await readWhole(readerOver(whole(member("L", Buffer.alloc(pathLimit, "n")))));
  assert.equal(read?.path.length, pathLimit);
  assert.equal(await outcome(readerOver(whole(member("L", Buffer.alloc(pathLimit + 1, "n"))))), "damaged");
});

test("a map of holes at its limit is read, one byte past it is damaged", async () => {
  const records = { "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "0" };
  const pax = Object.entries(records).map(([key, value]) => encodePaxRecord(key, value));
  const numberBytes = 8;
  for (const [countBytes, wanted] of [
    [16, "read"],
    [17, "damaged"],
  ] as const) {
    const numbers = (sparseMapLimitBytes - 16) / numberBytes;
    const count = `${String(numbers / 2).padStart(countBytes - 1, "0")}\n`;
    const map = Buffer.concat([Buffer.from(count), Buffer.alloc(numbers * numberBytes, "0000000\n")]);
    const bytes = tarByHand(
      member("x", Buffer.concat(pax)),
      member("0", Buffer.concat([map, Buffer.alloc(-map.length & 511)])),
    );
    assert.equal(await outcome(readerOver(bytes)), wanted);
  }
});
