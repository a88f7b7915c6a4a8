import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { crc32c, crc32cCompensation } from "../../src/bytes/index.ts";

test("four bytes anywhere give any bytes any checksum", () => {
  const bytesAndPlace = fc
    .uint8Array({ minLength: 4, maxLength: 300 })
    .chain((bytes) => fc.tuple(fc.constant(bytes), fc.nat(bytes.length - 4), fc.integer({ min: 0, max: 2 ** 32 - 1 })));
  fc.assert(
    fc.property(bytesAndPlace, ([bytes, at, wanted]) => {
      bytes.set(crc32cCompensation(bytes, at, wanted), at);
      assert.equal(crc32c(bytes), wanted);
    }),
  );
});
