/** Who is let in, and each reason for which somebody is not. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { after, before, test } from "node:test";
import {
  issueClient,
  issueServer,
  loadBundle,
  renewRevocationListIfDue,
  revokeCertificates,
  verifyClient,
  type Authority,
  type RefusalReason,
} from "../../../src/mail/pki/index.ts";
import { readIssuingKey } from "../../../src/mail/pki/authority.ts";
import { keyIdOf, readCertificate, type CertificateRequest } from "../../../src/mail/pki/certificate.ts";
import { mailboxExtension } from "../../../src/mail/pki/alt-names.ts";
import {
  extKeyUsageExtension,
  keyUsageExtension,
  noAuthorityExtension,
  type Extension,
} from "../../../src/mail/pki/extensions.ts";
import { encodePem } from "../../../src/mail/pki/pem.ts";
import { encodeRevocationList } from "../../../src/mail/pki/revocation-list.ts";
import { temporaryFolder } from "../../temp.ts";
import { day, madeAuthority, madeCertificate, sampleAuthority, type MadeCertificate } from "./sample-authority.ts";

const folder = temporaryFolder();
const place = folder.join("pki");
let authority: Authority;

before(async () => {
  authority = await sampleAuthority(place);
});
after(() => folder[Symbol.asyncDispose]());

function issue(mailbox: string, device: string) {
  const request = { mailbox, device, keyType: "ec-p256", days: 100, now: day(0), replace: false } as const;
  return issueClient(authority, request).then(({ issued }) => issued.certificate);
}

/** One of our own issuing authority, as it would never issue it. */
function misissued(changes: Partial<CertificateRequest>): Uint8Array {
  const { certificate } = authority.current;
  const issuer = { privateKey: readIssuingKey(authority, authority.current), name: certificate.subject };
  return madeCertificate(changes, issuer).der;
}

test("a certificate opens the mailbox that is in it", async () => {
  const certificate = await issue("Joe@Example.org", "laptop");
  const { holder } = verifyClient(certificate.der, day(1), loadBundle(place));
  assert.equal(holder?.mailbox, "joe@example.org");
  assert.equal(holder.serial, certificate.serial);
  assert.match(holder.serial, /^[0-9A-F]{32}$/);
  assert.match(holder.fingerprint, /^[0-9a-f]{64}$/);
});

test("each certificate that is not to be accepted is refused for its own reason", async () => {
  const bundle = loadBundle(place);
  const good = await issue("joe@example.org", "desktop");
  const tampered = Uint8Array.from(good.der);
  tampered[tampered.length - 1] = (tampered.at(-1) ?? 0) ^ 1;
  const stranger = madeAuthority("Stranger");
  const client = [noAuthorityExtension(), extKeyUsageExtension("clientAuth")];
  const mailbox = mailboxExtension("joe@example.org");
  const unheard: Extension = { objectId: "1.2.3.4", isCritical: true, value: Uint8Array.of(5, 0) };
  const cases: readonly (readonly [RefusalReason, Uint8Array | undefined, number])[] = [
    ["no certificate", undefined, 1],
    ["not readable", Uint8Array.of(0x30, 3, 1, 2, 3), 1],
    ["self-signed", madeCertificate({}).der, 1],
    ["unknown authority", madeCertificate({}, stranger).der, 1],
    ["unknown authority", madeCertificate({}, { ...stranger, name: authority.current.certificate.subject }).der, 1],
    ["unknown authority", tampered, 1],
    ["not yet valid", good.der, -1],
    ["expired", good.der, 101],
    ["revocation list expired", misissued({ notAfter: day(1000) }), 91],
    ["authority expired", misissued({ notAfter: day(9000) }), 4000],
    ["not for clients", misissued({ extensions: [extKeyUsageExtension("serverAuth"), mailbox] }), 1],
    ["not for clients", misissued({ extensions: [...client, keyUsageExtension("keyEncipherment"), mailbox] }), 1],
    ["not for clients", misissued({ extensions: [...client, unheard, mailbox] }), 1],
    ["not for clients", authority.current.certificate.der, 1],
    ["no mailbox in it", misissued({ extensions: client }), 1],
    ["no mailbox in it", misissued({ extensions: [...client, mailboxExtension("joe\u0000@example.org")] }), 1],
  ];
  for (const [reason, der, at] of cases) {
    assert.equal(verifyClient(der, day(at), bundle).refusal, reason);
  }
});

test("a revoked certificate is refused, and stays so past the end of the list", async () => {
  const [lost, kept] = [await issue("patrick@example.org", "lost"), await issue("patrick@example.org", "kept")];
  await revokeCertificates(authority, [lost.serial], { reason: "keyCompromise", now: day(2) });
  const bundle = loadBundle(place);
  assert.equal(verifyClient(lost.der, day(3), bundle).refusal, "revoked");
  assert.equal(verifyClient(kept.der, day(3), bundle).holder?.mailbox, "patrick@example.org");
  const lenient = { acceptExpiredLists: true };
  assert.equal(verifyClient(kept.der, day(95), bundle).refusal, "revocation list expired");
  assert.equal(verifyClient(lost.der, day(95), bundle, lenient).refusal, "revoked");
  assert.equal(verifyClient(kept.der, day(95), bundle, lenient).holder?.mailbox, "patrick@example.org");
});

test("the list is renewed while two thirds of its time are left, without a passphrase", async () => {
  const before = loadBundle(place).authorities.find(({ issuer }) => issuer !== undefined)?.list;
  assert.equal(await renewRevocationListIfDue(place, day(20)), false);
  assert.equal(await renewRevocationListIfDue(place, day(40)), true);
  assert.equal(await renewRevocationListIfDue(place, day(40)), false);
  const renewed = loadBundle(place).authorities.find(({ issuer }) => issuer !== undefined)?.list;
  assert.ok(before?.number !== undefined && renewed?.number !== undefined && renewed.number > before.number);
  assert.deepEqual(renewed.revoked, before.revoked);
  assert.deepEqual(renewed.nextUpdate, day(130));
});

/** A list of somebody else's authority. */
function madeList(issuer: MadeCertificate, serials: readonly string[], number = 1n): Uint8Array {
  const { subject, publicKey } = readCertificate(issuer.der);
  return encodeRevocationList(
    {
      issuer: subject,
      issuerKeyId: keyIdOf(publicKey),
      number,
      thisUpdate: day(0),
      nextUpdate: day(50),
      entries: serials.map((serial) => ({ serial, revokedAt: day(0), reason: "unspecified" })),
    },
    issuer.privateKey,
  );
}

test("authorities and lists from elsewhere count, and only with a path to a root", () => {
  const root = madeAuthority("Root");
  const middle = madeAuthority("Middle", root, 0);
  const below = madeAuthority("Too deep", middle, 0);
  const [good, revoked] = [madeCertificate({}, middle), madeCertificate({}, middle)];
  const others = [folder.join("others.pem"), folder.join("middle.crl")];
  const [pemFile = "", listFile = ""] = others;
  const bundle = () => loadBundle(place, { others });
  fs.writeFileSync(pemFile, [root, middle, below].map(({ der }) => encodePem("CERTIFICATE", der)).join("some text\n"));
  fs.writeFileSync(listFile, madeList(middle, [readCertificate(revoked.der).serial])); // in DER
  assert.equal(verifyClient(good.der, day(1), bundle()).refusal, "no revocation list"); // the root has none
  fs.appendFileSync(pemFile, encodePem("X509 CRL", madeList(root, [])));
  assert.equal(verifyClient(good.der, day(1), bundle()).holder?.mailbox, "joe@example.org");
  assert.equal(verifyClient(revoked.der, day(1), bundle()).refusal, "revoked");
  assert.equal(verifyClient(madeCertificate({}, below).der, day(1), bundle()).refusal, "unknown authority");
  fs.appendFileSync(pemFile, encodePem("X509 CRL", madeList(root, [readCertificate(middle.der).serial], 2n)));
  assert.equal(verifyClient(good.der, day(1), bundle()).refusal, "authority revoked");
  const alone = loadBundle(place, { others, own: false });
  assert.equal(verifyClient(misissued({}), day(1), alone).refusal, "unknown authority");
});

test("of two lists of one authority the newer one counts, in whatever order they stand", () => {
  const root = madeAuthority("Root of lists");
  const joe = madeCertificate({}, root);
  const [older, newer] = [madeList(root, [], 1n), madeList(root, [readCertificate(joe.der).serial], 2n)];
  const file = folder.join("two.pem");
  for (const lists of [
    [older, newer],
    [newer, older],
  ]) {
    fs.writeFileSync(
      file,
      encodePem("CERTIFICATE", root.der) + lists.map((der) => encodePem("X509 CRL", der)).join(""),
    );
    assert.equal(verifyClient(joe.der, day(1), loadBundle(place, { others: [file], own: false })).refusal, "revoked");
  }
});

test("a list that nobody known has signed, or of another kind, or a file with nothing in it is refused", () => {
  const file = folder.join("bad");
  const stranger = madeAuthority("Stranger with a list");
  const cases: readonly (readonly [Uint8Array | string, string])[] = [
    [madeList(stranger, []), "mismatch"],
    ["nothing of use", "damaged"],
    [encodePem("CERTIFICATE", Uint8Array.of(0x30, 0)), "damaged"],
  ];
  for (const [content, code] of cases) {
    fs.writeFileSync(file, content);
    assert.throws(() => loadBundle(place, { others: [file] }), { name: "Failure", code });
  }
  assert.throws(() => loadBundle(place, { others: [folder.join("missing")] }), { code: "not-found" });
});

test("an issuing authority issues for its own names only, and what it issues for others opens nothing", async () => {
  const own = folder.join("constrained");
  const ownNames = { domains: ["example.org"], hosts: ["mail.example.net", "192.0.2.7"] };
  const constrained = await sampleAuthority(own, day(0), ownNames);
  const request = { device: "pc", keyType: "ec-p256", days: 100, now: day(0), replace: false } as const;
  const { issued } = await issueClient(constrained, { ...request, mailbox: "joe@example.org" });
  assert.equal(verifyClient(issued.certificate.der, day(1), loadBundle(own)).holder?.mailbox, "joe@example.org");
  const refused = { code: "refused", message: /: the issuing authority may not$/ };
  await assert.rejects(issueClient(constrained, { ...request, mailbox: "joe@sub.example.org" }), refused);
  for (const host of ["bank.example.com", "example.net", "192.0.2.8", "2001:db8::1"]) {
    await assert.rejects(issueServer(constrained, { hosts: [host], key: "ec-p256", now: day(0) }), refused, host);
  }
  for (const host of ["mail.example.net", "imap.example.org", "192.0.2.7"]) {
    await issueServer(constrained, { hosts: [host], key: "ec-p256", now: day(0) });
  }
  const { certificate } = constrained.current;
  const thief = { privateKey: readIssuingKey(constrained, constrained.current), name: certificate.subject };
  const client = [noAuthorityExtension(), extKeyUsageExtension("clientAuth")];
  const stolen = madeCertificate({ extensions: [...client, mailboxExtension("joe@elsewhere.org")] }, thief);
  assert.equal(verifyClient(stolen.der, day(1), loadBundle(own)).refusal, "mailbox forbidden to its authority");
});
