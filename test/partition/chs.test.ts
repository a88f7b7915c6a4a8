import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { chs, chsOfLba, cylindersOf, lbaOfChs, type Chs } from "../../src/partition/chs.ts";

function encode(place: Chs): number[] {
  const raw = new Uint8Array(3);
  chs.encode(new DataView(raw.buffer), 0, place);
  return [...raw];
}

test("the classic disk has 503 cylinders", () => {
  assert.equal(cylindersOf(4141875200), 503);
  assert.equal(503 * 255 * 63 * 512, 4137315840);
});

test("places are encoded as BIOSes read them", () => {
  assert.deepEqual(encode(chsOfLba(0)), [0, 1, 0]);
  assert.deepEqual(encode(chsOfLba(63)), [1, 1, 0]);
  assert.deepEqual(encode(chsOfLba(2048)), [0x20, 0x21, 0]); // as every 1 MiB aligned disk has it
  assert.deepEqual(encode(chsOfLba(503 * 16065 - 1)), [0xfe, 0x7f, 0xf6]);
});

test("a sector past cylinder 1023 is written as the last place there is", () => {
  assert.deepEqual(chsOfLba(1024 * 16065 - 1), { cylinder: 1023, head: 254, sector: 63 });
  assert.deepEqual(chsOfLba(1024 * 16065), { cylinder: 1023, head: 254, sector: 63 });
  assert.deepEqual(encode(chsOfLba(2 ** 32)), [0xfe, 0xff, 0xff]);
  assert.deepEqual(chsOfLba(2 ** 32, { heads: 16, sectors: 32 }), { cylinder: 1023, head: 15, sector: 32 });
});

test("every place within reach survives its three bytes, in any geometry", () => {
  const geometry = fc.record({ heads: fc.integer({ min: 1, max: 255 }), sectors: fc.integer({ min: 1, max: 63 }) });
  fc.assert(
    fc.property(geometry, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (shape, share) => {
      const lba = Math.floor(share * 1024 * shape.heads * shape.sectors);
      const raw = new Uint8Array(encode(chsOfLba(lba, shape)));
      assert.equal(lbaOfChs(chs.decode(new DataView(raw.buffer), 0), shape), lba);
    }),
  );
});
