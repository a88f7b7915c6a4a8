import assert from "node:assert/strict";
import { test } from "node:test";
import * as zlib from "node:zlib";
import * as fc from "fast-check";
import {
  array,
  ascii,
  Bitmap,
  bits64,
  bytes,
  crc16,
  crc32,
  crc32c,
  decodeName,
  encodeName,
  formatSize,
  guid,
  i32,
  parseSize,
  printableName,
  Struct,
  u16,
  u16be,
  u32,
  u32be,
  u64,
  u64be,
  u8,
  uuid,
} from "../../src/bytes/index.ts";

const record = new Struct("test record", 90, {
  one: [0, u8],
  two: [1, u16],
  twoBig: [3, u16be],
  four: [5, u32],
  fourBig: [9, u32be],
  eight: [13, u64],
  eightBig: [21, u64be],
  signed: [29, i32],
  opaque: [33, bits64],
  raw: [41, bytes(3)],
  text: [44, ascii(6)],
  list: [50, array(u16, 3)],
  id: [56, uuid],
  gpt: [72, guid],
});

const anyRecord = fc.record(
  {
    one: fc.integer({ min: 0, max: 255 }),
    two: fc.integer({ min: 0, max: 0xffff }),
    twoBig: fc.integer({ min: 0, max: 0xffff }),
    four: fc.integer({ min: 0, max: 0xffffffff }),
    fourBig: fc.integer({ min: 0, max: 0xffffffff }),
    eight: fc.maxSafeNat(),
    eightBig: fc.maxSafeNat(),
    signed: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    opaque: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    raw: fc.uint8Array({ minLength: 3, maxLength: 3 }),
    text: fc.stringMatching(/^[ -~]{0,6}$/),
    list: fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 3, maxLength: 3 }),
    id: fc.uuid(),
    gpt: fc.uuid().map((text) => text.toUpperCase()),
  },
  { noNullPrototype: true },
);

test("a record is decoded as it was encoded, wherever it stands", () => {
  fc.assert(
    fc.property(anyRecord, fc.nat(20), (values, at) => {
      const buffer = new Uint8Array(record.sizeBytes + 40).fill(0xee);
      record.patch(buffer, values, at);
      assert.deepEqual(record.decode(buffer, at), values);
      for (const key of Object.keys(values) as (keyof typeof values)[]) {
        assert.deepEqual(record.get(buffer, key, at), values[key]);
      }
      const untouched = [...buffer.subarray(0, at), ...buffer.subarray(at + 88)];
      assert.ok(
        untouched.every((byte) => byte === 0xee),
        "bytes that no field names survive",
      );
    }),
  );
});

test("fields that overlap or pass the end are refused when the table is loaded", () => {
  assert.throws(() => new Struct("bad", 8, { a: [0, u32], b: [3, u8] }), /overlaps/);
  assert.throws(() => new Struct("bad", 8, { a: [5, u32] }), /passes the end/);
});

test("values that do not fit are refused", () => {
  const buffer = new Uint8Array(90);
  assert.throws(() => record.patch(buffer, { two: 0x10000 }), RangeError);
  assert.throws(() => record.patch(buffer, { four: -1 }), RangeError);
  assert.throws(() => record.patch(buffer, { text: "too long" }), RangeError);
  assert.throws(() => record.decode(new Uint8Array(89)), RangeError);
  buffer.fill(0xff, 13, 21);
  assert.throws(() => record.decode(buffer), /above 2\^53-1/);
});

test("a GUID's first three groups are little-endian", () => {
  const buffer = new Uint8Array(90);
  record.patch(buffer, { gpt: "C12A7328-F81F-11D2-BA4B-00A0C93EC93B", id: "c12a7328-f81f-11d2-ba4b-00a0c93ec93b" });
  assert.equal(Buffer.from(buffer.subarray(72, 88)).toString("hex"), "28732ac11ff8d211ba4b00a0c93ec93b");
  assert.equal(Buffer.from(buffer.subarray(56, 72)).toString("hex"), "c12a7328f81f11d2ba4b00a0c93ec93b");
});

test("the checksums give the published values of 123456789", () => {
  const text = Buffer.from("123456789");
  assert.equal(~crc32c(text) >>> 0, 0xe3069283); // RFC 3720 appendix B.4 has this polynomial
  assert.equal(crc16(text, 0), 0xbb3d); // CRC-16/ARC
});

test("a checksum may be made in parts", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(200), (data, at) => {
      const cut = Math.min(at, data.length);
      assert.equal(crc32c(data), crc32c(data.subarray(cut), crc32c(data.subarray(0, cut))));
      assert.equal(crc32c(data), crc32c(data, crc32c(data, undefined, 0, cut), cut));
      assert.equal(crc16(data), crc16(data.subarray(cut), crc16(data.subarray(0, cut))));
    }),
  );
});

test("a bitmap agrees with a list of booleans", () => {
  const step = fc.record({ set: fc.boolean(), start: fc.nat(199), count: fc.nat(100) });
  fc.assert(
    fc.property(fc.array(step), fc.nat(200), fc.nat(200), fc.nat(4), (steps, a, b, offset) => {
      const bitmap = new Bitmap(200, new Uint8Array(30).subarray(offset, offset + 25));
      const model = Array.from({ length: 200 }, () => false);
      for (const { set, start, count } of steps) {
        const length = Math.min(count, 200 - start);
        if (set) bitmap.setRange(start, length);
        else bitmap.clearRange(start, length);
        model.fill(set, start, start + length);
      }
      const [from, to] = [Math.min(a, b), Math.max(a, b)];
      assert.equal(bitmap.countSet(from, to), model.slice(from, to).filter(Boolean).length);
      const indexOf = (value: boolean): number => {
        const found = model.slice(from, to).indexOf(value);
        return found < 0 ? -1 : found + from;
      };
      assert.equal(bitmap.nextSet(from, to), indexOf(true));
      assert.equal(bitmap.nextClear(from, to), indexOf(false));
    }),
  );
});

test("any bytes survive as a name, and UTF-8 is text", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (raw) => {
      assert.deepEqual(new Uint8Array(encodeName(decodeName(raw))), raw);
    }),
  );
  assert.equal(decodeName(Buffer.from("grüße 日本 \ufffd")), "grüße 日本 \ufffd");
  assert.equal(printableName(decodeName(Buffer.of(0x61, 0xff, 0x1b, 0x0a))), "a\\xff\\x1b\\x0a");
});

test("sizes are read as qemu-img and people write them", () => {
  const cases: [string, number][] = [
    ["4GB", 4e9],
    ["4GiB", 4 * 2 ** 30],
    ["4G", 4 * 2 ** 30],
    ["4141875200", 4141875200],
    ["512 MiB", 512 * 2 ** 20],
    ["1.5k", 1536],
    ["0", 0],
    ["8TB", 8e12],
    ["100B", 100],
  ];
  for (const [text, size] of cases) assert.equal(parseSize(text), size, text);
  for (const text of ["", "4X", "-1", "1.0001K", "9999999PiB", "0x10", "GiB"]) {
    assert.throws(() => parseSize(text), { code: "usage" }, text);
  }
  assert.equal(formatSize(4141875200), "3.86 GiB");
  assert.equal(formatSize(512), "512 B");
});

test("CRC-32 is as Node has it", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (some) => assert.equal(crc32(some), zlib.crc32(some))));
});
