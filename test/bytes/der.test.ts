import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Failure } from "../../src/base/index.ts";
import {
  derBitString,
  derBoolean,
  derContext,
  DerCursor,
  derInteger,
  derNull,
  derObjectId,
  derOctetString,
  derSequence,
  derSet,
  derTags,
  derTime,
  derUtf8String,
  objectIdText,
} from "../../src/bytes/der/index.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

test("encodings are those of X.690", () => {
  assert.equal(hex(derInteger(0)), "020100");
  assert.equal(hex(derInteger(127)), "02017f");
  assert.equal(hex(derInteger(128)), "02020080");
  assert.equal(hex(derInteger(256)), "02020100");
  assert.equal(hex(derInteger(Uint8Array.of(0, 0, 0x80))), "02020080");
  assert.equal(hex(derObjectId("1.2.840.113549")), "06062a864886f70d"); // §8.19.5, its kin
  assert.equal(hex(derObjectId("2.999.3")), "0603883703"); // §8.19.5
  assert.equal(hex(derBoolean(true)), "0101ff");
  assert.equal(hex(derNull()), "0500");
  assert.equal(hex(derUtf8String("é")), "0c02c3a9");
  assert.equal(hex(derBitString(Uint8Array.of(0x80), 7)), "03020780");
  assert.equal(hex(derOctetString(new Uint8Array(200))).slice(0, 6), "0481c8");
  assert.equal(hex(derOctetString(new Uint8Array(300))).slice(0, 8), "0482012c");
  assert.equal(hex(derContext(3, derNull())), "a3020500");
  assert.equal(hex(derContext(0, Uint8Array.of(7), { isConstructed: false })), "800107");
});

test("a set is in the order of its bytes, whatever it was made of", () => {
  const parts = [derUtf8String("b"), derInteger(5), derUtf8String("a")];
  assert.equal(hex(derSet(...parts)), hex(derSet(...parts.toReversed())));
  assert.equal(hex(derSet(...parts)), "31090201050c01610c0162");
});

test("times are short up to 2049 and long from then on", () => {
  assert.equal(hex(derTime(new Date("2049-12-31T23:59:59.9Z"))), `170d${hex(Buffer.from("491231235959Z"))}`);
  assert.equal(hex(derTime(new Date("2050-01-01T00:00:00Z"))), `180f${hex(Buffer.from("20500101000000Z"))}`);
  const seconds = fc.integer({ min: -600_000_000, max: 4_000_000_000 }); // from 1950 to 2096
  fc.assert(
    fc.property(seconds, (second) => {
      const time = new Date(second * 1000);
      assert.deepEqual(new DerCursor(derTime(time), "a time").takeTime(), time);
    }),
  );
});

test("what is written is read again", () => {
  const part = fc.integer({ min: 0, max: 2 ** 31 });
  const id = fc.tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 39 }), part, part);
  const content = fc.uint8Array({ maxLength: 70_000 });
  fc.assert(
    fc.property(id, fc.bigInt({ min: 0n, max: 2n ** 200n }), content, (parts, number, bytes) => {
      const dotted = parts.join(".");
      const der = derSequence(derObjectId(dotted), derInteger(number), derOctetString(bytes));
      const whole = new DerCursor(der, "a record");
      const cursor = whole.enter(derTags.sequence);
      assert.equal(cursor.takeObjectId(), dotted);
      assert.equal(BigInt(`0x${hex(cursor.take(derTags.integer))}`), number);
      assert.deepEqual(Buffer.from(cursor.take(derTags.octetString)), Buffer.from(bytes));
      cursor.expectEnd();
      whole.expectEnd();
    }),
    { numRuns: 50 },
  );
});

test("whatever is read, it ends, in a value or a failure", () => {
  const walk = (cursor: DerCursor, depth: number): void => {
    while (!cursor.isAtEnd) {
      const tag = cursor.nextTag ?? 0;
      if ((tag & 0x20) !== 0 && depth < 20) walk(cursor.enter(tag), depth + 1);
      else cursor.takeWhole();
    }
  };
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        walk(new DerCursor(bytes, "noise"), 0);
        objectIdText(bytes);
      } catch (error) {
        assert.ok(error instanceof Failure && error.code === "damaged");
      }
    }),
    { numRuns: 2000 },
  );
});

test("lengths without an end, beyond the end, and times that are none are refused", () => {
  for (const bytes of ["3080", "30840fffffff", "3005", "30", "308500000000010000", "170d3236313333303138353035355a"]) {
    const cursor = new DerCursor(Buffer.from(bytes, "hex"), "a value");
    const read = (): unknown => (bytes.startsWith("17") ? cursor.takeTime() : cursor.enter(derTags.sequence));
    assert.throws(read, { code: "damaged", message: /^cannot read a value: / });
  }
});
