import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import fc from "fast-check";
import { encodeLzma } from "../../src/tree/lzma/index.ts";
import { skipWithout } from "../peers/peer.ts";

/** What xz unpacks of raw LZMA, given the header of a .lzma file. */
function unpack(raw: Uint8Array, sizeBytes: number): Buffer {
  const header = Buffer.alloc(13);
  header[0] = 3 + 2 * 45; // lc=3, lp=0, pb=2
  header.writeUInt32LE(65536, 1);
  header.writeUInt32LE(sizeBytes, 5);
  return execFileSync("xz", ["--format=lzma", "-dc"], {
    input: Buffer.concat([header, raw]),
    maxBuffer: 1024 * 1024 * 1024,
  });
}

/** Both efforts; gives what the smaller takes. */
function assertUnpacks(data: Uint8Array): number {
  const [small, quick] = [encodeLzma(data), encodeLzma(data, "quick")] as const;
  for (const raw of [small, quick]) assert.ok(unpack(raw, data.length).equals(data), `${data.length} bytes come back`);
  return small.length;
}

/** Text-like bytes from a seed: words that come again at all distances. */
function pseudoText(sizeBytes: number, seed: number): Uint8Array {
  let state = seed;
  const next = (): number => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) >>> 8;
  const out = new Uint8Array(sizeBytes);
  for (let at = 0; at < sizeBytes;) {
    const length = Math.min(1 + (next() % 40), sizeBytes - at);
    const from = next() % (at + 1);
    for (let n = 0; n < length; n++) out[at + n] = next() % 8 < 6 && from + n < at ? out[from + n]! : next() % 64;
    at += length;
  }
  return out;
}

test("xz unpacks what was packed", { skip: skipWithout("xz") }, () => {
  for (const size of [1, 2, 3, 4, 5, 272, 273, 274, 4095, 4096, 4097, 65535, 65536, 65537, 300_000]) {
    assertUnpacks(pseudoText(size, size));
  }
  assert.ok(assertUnpacks(new Uint8Array(1_000_000)) < 1000);
  assertUnpacks(Uint8Array.from({ length: 100_000 }, (_, n) => Math.imul(n, 0x9e3779b1) >>> 24));
});

test("what is packed quickly is not much larger, and the same each time", () => {
  const data = pseudoText(300_000, 7);
  const quick = encodeLzma(data, "quick");
  assert.ok(quick.length < 1.1 * encodeLzma(data).length);
  assert.deepEqual(encodeLzma(data, "quick"), quick);
});

test("xz unpacks repetitions as far apart as the dictionary", { skip: skipWithout("xz") }, () => {
  for (const apart of [65534, 65535, 65536, 65537]) {
    const data = pseudoText(apart + 1000, apart);
    data.copyWithin(apart, 0, 1000);
    assertUnpacks(data);
  }
});

test("xz unpacks random data", { skip: skipWithout("xz") }, () => {
  const pieces = fc.array(fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.constant(new Uint8Array(300))), {
    maxLength: 40,
  });
  fc.assert(
    fc.property(pieces, (some) => {
      assertUnpacks(Buffer.concat([Buffer.from("x"), ...some]));
    }),
    { numRuns: 30 },
  );
});
