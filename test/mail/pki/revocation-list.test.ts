import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Failure } from "../../../src/base/index.ts";
import {
  derBoolean,
  derContext,
  derInteger,
  derObjectId,
  derOctetString,
  derSequence,
  derTime,
} from "../../../src/bytes/der/index.ts";
import { keyIdOf, readCertificate } from "../../../src/mail/pki/certificate.ts";
import {
  encodeRevocationList,
  listLimitBytes,
  readEntries,
  readRevocationList,
  type RevokedEntry,
} from "../../../src/mail/pki/revocation-list.ts";
import { signDer } from "../../../src/mail/pki/signature.ts";
import { day, madeAuthority, madeCertificate } from "./sample-authority.ts";

const issuer = madeAuthority("Issuer");
const authority = readCertificate(issuer.der);

function listOf(entries: readonly RevokedEntry[], number = 1n): Uint8Array {
  const request = { issuer: authority.subject, issuerKeyId: keyIdOf(authority.publicKey), number };
  const times = { thisUpdate: day(0), nextUpdate: day(30) };
  return encodeRevocationList({ ...request, ...times, entries }, issuer.privateKey);
}

function entry(serial: string, reason: RevokedEntry["reason"] = "keyCompromise"): RevokedEntry {
  return { serial, revokedAt: day(0), reason };
}

test("what is revoked is read again, with number, times and reasons", () => {
  const serials = fc.uniqueArray(fc.bigInt({ min: 1n, max: 2n ** 159n }), { maxLength: 20 });
  fc.assert(
    fc.property(serials, fc.bigInt({ min: 0n, max: 2n ** 150n }), (numbers, number) => {
      const texts = numbers
        .map((one) => one.toString(16).toUpperCase())
        .map((one) => one.padStart(one.length + (one.length % 2), "0"));
      const entries = texts.map((serial, index) => entry(serial, index % 2 === 0 ? "unspecified" : "superseded"));
      const der = listOf(entries, number);
      const list = readRevocationList(der, [authority]);
      assert.deepEqual([...list.revoked], texts);
      assert.equal(list.number, number);
      assert.deepEqual([list.thisUpdate, list.nextUpdate], [day(0), day(30)]);
      assert.deepEqual(readEntries(der), entries);
    }),
    { numRuns: 30 },
  );
});

test("a hundred thousand entries are read", () => {
  const entries = Array.from({ length: 100_000 }, (_, at) => entry((0x4000_0000_0000 + at).toString(16).toUpperCase()));
  const list = readRevocationList(listOf(entries), [authority]);
  assert.equal(list.revoked.size, 100_000);
  assert.ok(list.revoked.has("40000001869F"));
});

test("damage anywhere ends in a failure, never in another list", () => {
  const der = listOf([entry("41"), entry("42")]);
  for (let at = 0; at < der.length; at++) {
    for (const change of [1, 0x80]) {
      const damaged = Uint8Array.from(der);
      damaged[at] = (damaged[at] ?? 0) ^ change;
      assert.throws(() => readRevocationList(damaged, [authority]), Failure, `byte ${at}`);
    }
    assert.throws(() => readRevocationList(der.subarray(0, at), [authority]), Failure);
  }
});

/** A list of the right signer with this as its content behind the version. */
function signedList(...content: readonly Uint8Array[]): Uint8Array {
  return signDer(issuer.privateKey, (algorithm) =>
    derSequence(derInteger(1), algorithm, authority.subject, derTime(day(0)), ...content),
  );
}

test("a list of a part, of changes, or that ends never is refused", () => {
  const critical = (objectId: string): Uint8Array =>
    derSequence(derObjectId(objectId), derBoolean(true), derOctetString(derInteger(1)));
  const extensions = (objectId: string): Uint8Array => derContext(0, derSequence(critical(objectId)));
  const ofOther = derSequence(derInteger(5), derTime(day(0)), derSequence(critical("2.5.29.29"))); // of another issuer
  const cases: readonly (readonly [string, Uint8Array])[] = [
    ["unsupported", signedList(derTime(day(9)), extensions("2.5.29.27"))], // deltaCRLIndicator
    ["unsupported", signedList(derTime(day(9)), extensions("2.5.29.28"))], // issuingDistributionPoint
    ["unsupported", signedList(derTime(day(9)), derSequence(ofOther))],
    ["damaged", signedList()],
    ["damaged", signedList(derTime(day(9)), derSequence(derInteger(5)))],
    ["damaged", Uint8Array.of(0x30, 0x84, 0x7f, 0xff, 0xff, 0xff)],
  ];
  for (const [code, der] of cases) assert.throws(() => readRevocationList(der, [authority]), { name: "Failure", code });
});

test("only an authority that may sign lists is listened to", () => {
  const other = readCertificate(madeAuthority("Issuer").der); // of the same name
  const user = readCertificate(madeCertificate({}).der);
  const der = listOf([]);
  assert.throws(() => readRevocationList(der, [other, user]), { code: "mismatch" });
  assert.throws(() => readRevocationList(der, [{ ...authority, canSignLists: false }]), { code: "mismatch" });
  assert.equal(readRevocationList(der, [other, authority]).issuer, authority);
});

test("a list may have so many bytes and no more", () => {
  const cases: readonly (readonly [number, string])[] = [
    [listLimitBytes, "damaged"],
    [listLimitBytes + 1, "unsupported"],
  ];
  for (const [length, code] of cases) {
    assert.throws(() => readRevocationList(new Uint8Array(length), [authority]), { code });
  }
});
