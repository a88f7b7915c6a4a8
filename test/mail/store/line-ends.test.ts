import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { toFile, toWire, wireBytes } from "../../../src/mail/store/line-ends.ts";

const content = fc
  .array(fc.constantFrom("a", "\n", "\r", "\r\n", "\xe9", "\0"), { maxLength: 20 })
  .map((pieces) => Buffer.from(pieces.join(""), "latin1"));

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}

test("on the wire every line ends in CRLF, and the size is known before", () => {
  fc.assert(
    fc.property(content, (bytes) => {
      const wire = latin1(toWire(bytes));
      assert.equal(wire, latin1(bytes).replaceAll(/(?<!\r)\n/g, "\r\n"));
      assert.equal(wireBytes(bytes), wire.length);
    }),
  );
});

test("what is kept in a file comes back as it was on the wire", () => {
  fc.assert(
    fc.property(content, (bytes) => {
      const file = toFile(bytes);
      assert.equal(latin1(toWire(file)), latin1(toWire(bytes)));
      if (!latin1(bytes).includes("\r\r\n")) assert.ok(!latin1(file).includes("\r\n"));
    }),
  );
});
