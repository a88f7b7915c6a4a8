import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodePem, readPem } from "../../../src/mail/pki/pem.ts";

test("blocks are read again, whatever stands between them", () => {
  const label = fc.constantFrom("CERTIFICATE", "X509 CRL", "PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
  const blocks = fc.array(fc.record({ label, bytes: fc.uint8Array({ maxLength: 200 }) }), { maxLength: 5 });
  const between = fc.constantFrom(
    "",
    "subject: x\n",
    "-----BEGIN NOTHING-----\n",
    "-----END CERTIFICATE-----\n",
    "-----\n",
    "\r\n",
  );
  fc.assert(
    fc.property(blocks, between, (some, text) => {
      const whole = text + some.map((one) => encodePem(one.label as "X509 CRL", one.bytes)).join(text);
      const read = readPem(whole.replaceAll("\n", "\r\n"));
      assert.deepEqual(
        read.map((one) => ({ label: one.label, bytes: Buffer.from(one.bytes) })),
        some.map((one) => ({ label: one.label, bytes: Buffer.from(one.bytes) })),
      );
    }),
  );
});

test("a text of beginnings or ends without number is read in one pass", () => {
  for (const line of [
    "-----BEGIN X-----\n",
    "-----END X-----\n",
    "-----BEGIN ",
    "-----BEGIN X-----\n-----END Y-----\n",
  ]) {
    assert.deepEqual(readPem(line.repeat(200_000)), []);
  }
});
