import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { createHash } from "node:crypto";
import { crc32, gunzipSync, gzipSync, zstdDecompressSync } from "node:zlib";
import { inOrder } from "../../src/backup/packed/in-order.ts";
import { encodeGzipTable, readGzipTable } from "../../src/backup/packed/gzip-table.ts";
import { frameDecoders } from "../../src/backup/packed/unpack-frames.ts";
import { encodeXzBlock, encodeXzIndex, encodeXzStart } from "../../src/tree/lzma/index.ts";
import { encodeLz4Frame } from "../../src/tree/index.ts";
import { packingOf } from "../../src/backup/packed/packing.ts";
import { encodeSeekTable, readSeekTable, type Frame } from "../../src/backup/packed/seek-table.ts";
import { readXzTable } from "../../src/backup/packed/xz-table.ts";
import { writeParts } from "../../src/backup/packed/write-parts.ts";
import { Failure } from "../../src/base/index.ts";
import { MemoryDevice } from "../../src/device/index.ts";

test("results come in the order of the items, and no more are under way than may be", async () => {
  let [running, most] = [0, 0];
  const items = Array.from({ length: 50 }, (_, n) => n);
  const work = async (n: number): Promise<number> => {
    most = Math.max(most, ++running);
    for (let turns = (n * 7) % 5; turns >= 0; turns--) await turn();
    running--;
    return n * 2;
  };
  const results: number[] = [];
  for await (const result of inOrder(items, 4, work)) results.push(result);
  assert.deepEqual(
    results,
    items.map((n) => n * 2),
  );
  assert.equal(most, 4);
});

test("once one fails no other is begun, and none is left under way", async () => {
  let [begun, running] = [0, 0];
  const work = async (n: number): Promise<number> => {
    begun++;
    running++;
    for (let turns = n === 5 ? 1 : 6; turns > 0; turns--) await turn();
    running--;
    if (n === 5) throw new Failure("damaged", "five");
    return n;
  };
  const reading = (async () => {
    for await (const result of inOrder(
      Array.from({ length: 100 }, (_, n) => n),
      3,
      work,
    ))
      assert.ok(result < 5);
  })();
  await assert.rejects(reading, /five/);
  assert.equal(running, 0);
  assert.ok(begun <= 8, `${begun} begun`);
});

test("parts come back in their order as zstd, gzip or themselves, with their checksums, wherever they were packed", async () => {
  const parts = Array.from({ length: 12 }, (_, n) => ({ lengthBytes: 70_000 + n * 5000, isZero: n % 3 === 1 }));
  const unpack = { zst: zstdDecompressSync, gz: gunzipSync, uncomp: (bytes: Buffer) => bytes } as const;
  for (const packedAs of ["zst", "gz", "uncomp"] as const) {
    const written: Buffer[] = [];
    const volumes = { write: async (bytes: Uint8Array) => void written.push(Buffer.from(bytes)) };
    const source = parts.map(({ lengthBytes, isZero }, n) => ({
      lengthBytes,
      sourceBytes: lengthBytes,
      fill: async (into: Buffer) =>
        void (isZero
          ? into.fill(0)
          : into.set(createHash("shake256", { outputLength: lengthBytes }).update(`${n}`).digest())),
      sealed: isZero ? [] : [{ at: 0, lengthBytes: lengthBytes - 4 }],
    }));
    await writeParts(volumes, source, { packedAs, level: undefined, partLimitBytes: 200_000, async onWritten() {} });
    for (const [n, { lengthBytes, isZero }] of parts.entries()) {
      const plain = unpack[packedAs](written[n] ?? Buffer.alloc(0));
      assert.equal(plain.length, lengthBytes, `${packedAs} ${n}`);
      if (isZero) assert.ok(plain.every((byte) => byte === 0));
      else assert.equal(plain.readUInt32LE(lengthBytes - 4), ~crc32(plain.subarray(0, lengthBytes - 4)) >>> 0);
    }
  }
});

test("a seek table is read as it was written; one that contradicts itself is damaged; without one there is none", async () => {
  const frames = [
    { packedBytes: 100, plainBytes: 4_194_320 },
    { packedBytes: 7, plainBytes: 1 },
  ];
  const data = Buffer.concat([Buffer.alloc(107, 1), encodeSeekTable(frames)]);
  const table = await readSeekTable(new MemoryDevice(data));
  assert.deepEqual(table?.frames[1], { packedBytes: 7, plainBytes: 1, packedAt: 100, plainAt: 4_194_320 });
  assert.equal(await readSeekTable(new MemoryDevice(data.subarray(0, -1))), undefined);
  assert.equal(await readSeekTable(new MemoryDevice(Buffer.alloc(5))), undefined);
  for (let at = 107; at < data.length - 4; at++) {
    if (at >= 115 + 4 && at < 115 + 8) continue; // lengths of contents show when they are unpacked
    if (at >= 115 + 12 && at < 115 + 16) continue;
    const broken = Buffer.from(data);
    broken[at]! ^= 0x41;
    await assert.rejects(readSeekTable(new MemoryDevice(broken)), Failure, `byte ${at - 107}`);
  }
});

test("gzip's table is read as it was written, however many members it takes", async () => {
  for (const count of [0, 1, 8000, 8001, 20_000]) {
    const frames = Array.from({ length: count }, (_, n) => ({ packedBytes: 1 + (n % 3), plainBytes: n }));
    const front = Buffer.alloc(frames.reduce((sum, { packedBytes }) => sum + packedBytes, 0));
    const encoded = encodeGzipTable(frames);
    const table = await readGzipTable(new MemoryDevice(Buffer.concat([front, encoded])));
    assert.deepEqual(
      table?.frames.map(({ packedBytes, plainBytes }) => ({ packedBytes, plainBytes })),
      frames,
    );
    assert.equal(gunzipSync(encoded).length, 0, "nothing for whoever does not know it");
    if (count !== 8001) continue;
    const short = Buffer.concat([front.subarray(1), encoded]);
    await assert.rejects(readGzipTable(new MemoryDevice(short)), Failure);
    await assert.rejects(readGzipTable(new MemoryDevice(encoded.subarray(-60))), Failure);
  }
  assert.equal(await readGzipTable(new MemoryDevice(gzipSync("no table"))), undefined);
  assert.equal(await readGzipTable(new MemoryDevice(Buffer.alloc(5))), undefined);
});

const placed = (plainBytes: number) => ({ packedAt: 0, packedBytes: 0, plainAt: 0, plainBytes });

test("LZ4 frames hold what they were made of, long and short, repeating and not", async () => {
  const noise = createHash("shake256", { outputLength: 100_000 }).update("noise").digest();
  const samples = [0, 1, 4, 5, 11, 12, 13, 17, 19, 20, 274, 275, 70_000, 5 * 2 ** 20].map((n) => Buffer.alloc(n, "ab"));
  samples.push(noise, Buffer.concat([noise, noise, Buffer.alloc(70_000), noise]), Buffer.alloc(65_536 * 2 + 7, noise));
  for (const sample of samples) {
    const frame = encodeLz4Frame(sample);
    const plain = await frameDecoders.lz4(frame, placed(sample.length));
    assert.ok(Buffer.from(plain).equals(sample), `${sample.length}`);
    if (sample.length < 300) continue;
    const broken = Buffer.from(frame);
    broken[frame.length - 12]! ^= 1;
    await assert.rejects(frameDecoders.lz4(broken, placed(sample.length)), Failure);
  }
});

test("xz blocks are found by the index of their stream, or of several, and read alone", async () => {
  const texts = [
    "one".repeat(50_000),
    "four",
    createHash("shake256", { outputLength: 9001 }).update("3").digest("hex"),
  ];
  const blocks = texts.map((text) => ({ bytes: encodeXzBlock(Buffer.from(text)), plainBytes: text.length }));
  const stream = (some: typeof blocks): Buffer => {
    const listed = some.map(({ bytes, plainBytes }) => ({ unpaddedBytes: bytes.length, plainBytes }));
    return Buffer.concat([encodeXzStart(), ...some.map(({ bytes }) => bytes), encodeXzIndex(listed)]);
  };
  for (const data of [stream(blocks), Buffer.concat(blocks.map((block) => stream([block])))]) {
    const table = await readXzTable(new MemoryDevice(data));
    assert.equal(table?.plainBytes, texts.join("").length);
    for (const [n, frame] of (table?.frames ?? []).entries()) {
      const packed = Uint8Array.from(data.subarray(frame.packedAt, frame.packedAt + frame.packedBytes));
      assert.equal(Buffer.from(await frameDecoders.xz(packed, frame)).toString(), texts[n]);
      packed[packed.length - 1]! ^= 1;
      await assert.rejects(frameDecoders.xz(packed, frame));
    }
    for (let at = data.length - 12; at >= data.length - 24; at--) {
      const broken = Buffer.from(data);
      broken[at]! ^= 0x15;
      await assert.rejects(
        readXzTable(new MemoryDevice(broken)).then((found) => assert.ok(found)),
        `byte ${at}`,
      );
    }
  }
});

test("parts that follow others already written make the same data as all in one go", async () => {
  const lengths = Array.from({ length: 6 }, (_, n) => 20_000 + n * 1000);
  const source = lengths.map((lengthBytes, n) => ({
    lengthBytes,
    sourceBytes: lengthBytes,
    fill: async (into: Buffer) => void into.fill(`part ${n} `),
  }));
  for (const packedAs of ["zst", "gz", "xz", "lz4", "uncomp"] as const) {
    const write = async (parts: typeof source, before: Frame[]): Promise<{ bytes: Buffer; frames: Frame[] }> => {
      const written: Buffer[] = [];
      const frames = [...before];
      const volumes = { write: async (bytes: Uint8Array) => void written.push(Buffer.from(bytes)) };
      await writeParts(volumes, parts, {
        packedAs,
        level: undefined,
        partLimitBytes: 30_000,
        before,
        onWritten: async ({ packedBytes, plainBytes }) => void frames.push({ packedBytes, plainBytes }),
      });
      return { bytes: Buffer.concat(written), frames };
    };
    const whole = await write(source, []);
    const first = await write(source.slice(0, 2), []);
    const firstBytes = first.frames.reduce((sum, { packedBytes }) => sum + packedBytes, 0);
    const rest = await write(source.slice(2), first.frames);
    assert.ok(Buffer.concat([first.bytes.subarray(0, firstBytes), rest.bytes]).equals(whole.bytes), packedAs);
    let at = 0;
    for (const [n, { packedBytes }] of whole.frames.entries()) {
      const plain = await packingOf(packedAs, undefined).unpack(whole.bytes.subarray(at, at + packedBytes));
      assert.ok(Buffer.from(plain).equals(Buffer.alloc(lengths[n] ?? 0, `part ${n} `)), `${packedAs} ${n}`);
      at += packedBytes;
    }
  }
});
