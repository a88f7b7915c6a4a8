import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { signersOf } from "../../src/boot/signers.ts";
import { program, signedProgram } from "./signed-program.ts";

const der = (tag: number, ...parts: readonly (Uint8Array | string)[]): Buffer => {
  const content = Buffer.concat(parts.map((part) => Buffer.from(part)));
  const length = content.length < 128 ? [content.length] : [0x82, content.length >> 8, content.length & 255];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
};
const sequence = (...parts: readonly Uint8Array[]): Buffer => der(0x30, ...parts);
const commonName = Buffer.from([0x06, 3, 0x55, 4, 3]);
const organization = Buffer.from([0x06, 3, 0x55, 4, 10]);

/** A PKCS #7 signature whose signers are known by these names, and which nobody would accept. */
function signatureBy(...names: readonly (readonly [Buffer, string])[]): Buffer {
  const signers = names.map(([id, text]) => {
    const name = sequence(der(0x31, sequence(id, der(0x0c, text))));
    return sequence(der(0x02, "\x01"), sequence(name, der(0x02, "\x07")));
  });
  const certificates = der(0xa0, sequence(der(0x31, sequence(commonName, der(0x0c, "not a signer")))));
  const data = sequence(der(0x02, "\x01"), der(0x31), sequence(), certificates, der(0x31, ...signers));
  return sequence(Buffer.from([0x06, 1, 42]), der(0xa0, data));
}

function programWith(...signatures: readonly Uint8Array[]): Buffer {
  const entries = signatures.map((signature) => {
    const entry = Buffer.alloc(Math.ceil((8 + signature.length) / 8) * 8);
    entry.writeUInt32LE(8 + signature.length, 0);
    entry.writeUInt16LE(2, 6);
    entry.set(signature, 8);
    return entry;
  });
  const table = Buffer.concat(entries);
  return Buffer.concat([program(0x8664, [2048, table.length]), table]);
}

function issuersOf(bytes: Uint8Array): readonly string[] {
  return signersOf(bytes).map(({ issuer }) => issuer);
}

test("signers are known by the names of those that issued their certificates", () => {
  assert.deepEqual(issuersOf(programWith(signatureBy([commonName, "Some CA"]))), ["Some CA"]);
  const two = programWith(
    signatureBy([organization, "Firm, Inc."], [commonName, "A".repeat(200)]),
    signatureBy([commonName, "Other CA"]),
  );
  assert.deepEqual(issuersOf(two), ["Firm, Inc.", "A".repeat(200), "Other CA"]);
  assert.deepEqual(issuersOf(program(0x8664)), []);
  assert.deepEqual(issuersOf(signedProgram(0x8664)), ["a certificate without a name"]);
  assert.deepEqual(issuersOf(programWith(signatureBy([commonName, "\u0007\u001B[2J"]))), ["[2J"]);
});

test("a program is signed where its certificate table is whole and holds a signature", () => {
  const isSigned = (bytes: Uint8Array): boolean => signersOf(bytes).length > 0;
  const signed = signedProgram(0x8664);
  assert.ok(isSigned(signed));
  assert.ok(!isSigned(program(0x8664)));
  assert.ok(!isSigned(program(0x8664, [1024, 512])), "no signature in the table");
  assert.ok(!isSigned(signed.subarray(0, 1500)), "cut off");
  assert.ok(!isSigned(Buffer.from("MZ")));
  const other = Buffer.from(signed);
  other.writeUInt16LE(1, 1024 + 6);
  assert.ok(!isSigned(other), "a certificate of another type");
});

test("the certificate of a signer is the one of that issuer with that serial number", () => {
  const name = sequence(der(0x31, sequence(commonName, der(0x0c, "Some CA"))));
  const certificate = (serial: string, ...version: readonly Uint8Array[]): Buffer => {
    return sequence(sequence(...version, der(0x02, serial), sequence(), name, sequence()), sequence(), der(0x03, "\0"));
  };
  const wanted = certificate("\x07", der(0xa0, der(0x02, "\x02")));
  const signer = sequence(der(0x02, "\x01"), sequence(name, der(0x02, "\x07")));
  const certificates = der(0xa0, certificate("\x06"), wanted, certificate("\x08"));
  const data = sequence(der(0x02, "\x01"), der(0x31), sequence(), certificates, der(0x31, signer));
  const [found] = signersOf(programWith(sequence(Buffer.from([0x06, 1, 42]), der(0xa0, data))));
  assert.equal(found?.issuer, "Some CA");
  assert.ok(wanted.equals(found?.certificate ?? Buffer.alloc(0)));
  const [without] = signersOf(programWith(signatureBy([commonName, "Some CA"])));
  assert.deepEqual(without, { issuer: "Some CA" });
});

test("whatever a damaged signature says, it is names", () => {
  const whole = programWith(signatureBy([commonName, "Some CA"]), signatureBy([organization, "Firm"]));
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 8 }),
      fc.nat(whole.length),
      (changes, length) => {
        const damaged = Buffer.from(whole);
        for (const [at, byte] of changes) damaged[at] = byte;
        for (const name of issuersOf(damaged.subarray(0, length))) assert.equal(typeof name, "string");
      },
    ),
  );
});
