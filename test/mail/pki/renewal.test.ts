/** What the server renews by itself, and what is told of all that ends. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { after, before, test } from "node:test";
import {
  expiriesOf,
  issueClient,
  loadBundle,
  openAuthority,
  prometheusText,
  readRegister,
  renewIssuer,
  renewRevocationListIfDue,
  renewServerCertificateIfDue,
  revokeCertificates,
  serverCertificate,
  verifyClient,
  type Authority,
  type IssuedKey,
} from "../../../src/mail/pki/index.ts";
import { temporaryFolder } from "../../temp.ts";
import { encodePem } from "../../../src/mail/pki/pem.ts";
import { day, madeCertificate, passphrase, sampleAuthority } from "./sample-authority.ts";

const folder = temporaryFolder();
const place = folder.join("pki");
let authority: Authority;

before(async () => {
  authority = await sampleAuthority(place);
  const request = { mailbox: "joe@example.org", keyType: "ec-p256", replace: false, now: day(0) } as const;
  await issueClient(authority, { ...request, device: "phone", days: 100 });
  await issueClient(authority, { ...request, device: "laptop", days: 800 });
});
after(() => folder[Symbol.asyncDispose]());

function keyOf(text: string): string | undefined {
  return /-----BEGIN PRIVATE KEY-----[^-]+/.exec(text)?.[0];
}

test("the server's certificate is renewed for the same names and key, two months before it ends", async () => {
  const before = serverCertificate(place);
  const text = fs.readFileSync(`${place}/server.pem`, "utf8");
  assert.equal(await renewServerCertificateIfDue(place, day(336)), false);
  assert.equal(await renewServerCertificateIfDue(place, day(338)), true);
  assert.equal(await renewServerCertificateIfDue(place, day(338)), false);
  const renewed = serverCertificate(place);
  assert.deepEqual(renewed?.altNames, before?.altNames);
  assert.deepEqual(renewed?.notAfter, day(338 + 397));
  assert.equal(keyOf(fs.readFileSync(`${place}/server.pem`, "utf8")), keyOf(text));
  assert.equal(fs.statSync(`${place}/server.pem`).mode & 0o777, 0o600);
});

test("what ends is told, the first to end first, and warned of in time", () => {
  const stateAt = (number: number) => expiriesOf(place, { now: day(number), warnDays: 30 });
  const told = (number: number): string[] =>
    stateAt(number).flatMap(({ kind, name, state }) => (state === "fine" ? [] : [`${kind} ${name}: ${state}`]));
  assert.deepEqual(told(59), []);
  assert.deepEqual(told(61), ["revocation list example.org, Mail issuer 1: soon"]);
  assert.deepEqual(told(71), [
    "revocation list example.org, Mail issuer 1: soon",
    "client joe@example.org phone: soon",
  ]);
  assert.deepEqual(told(101), [
    "revocation list example.org, Mail issuer 1: ended",
    "client joe@example.org phone: ended",
  ]);
  assert.deepEqual(told(131), ["revocation list example.org, Mail issuer 1: ended"]); // the phone is forgotten
  const days = stateAt(1).map(({ leftDays }) => leftDays);
  assert.deepEqual(
    days,
    days.toSorted((a, b) => a - b),
  );
});

test("a revocation that is in no list is told of, until the list is renewed", async () => {
  const laptop = readRegister(place).find(({ name }) => name === "laptop");
  const bundle = fs.readFileSync(`${place}/bundle.pem`);
  await revokeCertificates(authority, [laptop?.serial ?? ""], { reason: "keyCompromise", now: day(2) });
  fs.writeFileSync(`${place}/bundle.pem`, bundle); // as a process leaves it that is killed in between
  const overdue = expiriesOf(place, { now: day(3), warnDays: 30 }).filter(({ state }) => state === "overdue");
  assert.deepEqual(
    overdue.map(({ name }) => name),
    ["joe@example.org laptop, revoked, not in the list yet"],
  );
  assert.equal(await renewRevocationListIfDue(place, day(3)), true);
  assert.deepEqual(
    expiriesOf(place, { now: day(3), warnDays: 30 }).filter(({ state }) => state === "overdue"),
    [],
  );
});

test("a bundle that was lost or damaged is made again, with every revocation", async () => {
  const revoked = () => new Set(loadBundle(place).authorities.flatMap(({ list }) => [...(list?.revoked ?? [])]));
  const before = revoked();
  for (const damage of [
    () => fs.rmSync(`${place}/bundle.pem`),
    () => fs.writeFileSync(`${place}/bundle.pem`, "nothing"),
    () => fs.truncateSync(`${place}/bundle.pem`, 1500),
  ]) {
    damage();
    assert.equal(await renewRevocationListIfDue(place, day(4)), true);
    assert.deepEqual(revoked(), before);
  }
  assert.equal(before.size, 1);
});

test("a certificate whose file is gone from the register stays revoked", async () => {
  const laptop = readRegister(place).find(({ name }) => name === "laptop");
  fs.rmSync(`${place}/certificates/${laptop?.serial}.pem`);
  await renewRevocationListIfDue(place, day(80));
  const list = loadBundle(place).authorities.find(({ issuer }) => issuer !== undefined)?.list;
  assert.ok(list?.revoked.has(laptop?.serial ?? "") === true);
  assert.deepEqual(list?.nextUpdate, day(170));
});

test("an issuing authority whose key was thrown away hinders nobody", async () => {
  const own = folder.join("two");
  const first = await sampleAuthority(own);
  const request = { mailbox: "joe@example.org", keyType: "ec-p256", days: 3000, replace: false } as const;
  const old = await issueClient(first, { ...request, device: "old", now: day(0) });
  const second = await renewIssuer(own, { passphrase, keyType: "ec-p256", revokeOld: true, now: day(10) });
  const young = await issueClient(second, { ...request, device: "young", now: day(10) });
  fs.rmSync(`${own}/issuing-1.key`);
  assert.equal(await renewRevocationListIfDue(own, day(50)), true);
  assert.equal(await renewRevocationListIfDue(own, day(50)), false);
  const verdictAt = (number: number, { issued }: IssuedKey) =>
    verifyClient(issued.certificate.der, day(number), loadBundle(own));
  assert.equal(verdictAt(120, young).holder?.mailbox, "joe@example.org"); // the first list has ended by then
  assert.equal(verdictAt(120, old).refusal, "authority revoked");
  const told = expiriesOf(own, { now: day(120), warnDays: 10 }).filter(({ kind }) => kind !== "client");
  assert.deepEqual(
    told.filter(({ name }) => name.includes("issuer 1")),
    [],
  );
  assert.ok(told.every(({ state }) => state === "fine"));
});

test("a certificate never outlasts its authority, which then issues no more", async () => {
  const request = { mailbox: "joe@example.org", keyType: "ec-p256", days: 3650, replace: false } as const;
  const { notAfter } = authority.current.certificate;
  const { issued } = await issueClient(authority, { ...request, device: "late", now: day(3600) });
  assert.deepEqual(issued.certificate.notAfter, notAfter);
  const after = new Date(notAfter.getTime() + 1000);
  await assert.rejects(issueClient(authority, { ...request, device: "later", now: after }), {
    code: "refused",
    hint: /renew-issuer/,
  });
});

test("a server's certificate from elsewhere is told of instead of the own one", () => {
  const file = folder.join("brought.pem");
  const brought = madeCertificate({ subject: { commonName: "mail.elsewhere.org" }, notAfter: day(20) });
  fs.writeFileSync(file, encodePem("CERTIFICATE", brought.der));
  const told = expiriesOf(place, { now: day(3), warnDays: 30, serverCertificateFile: file });
  const servers = told.filter(({ kind }) => kind === "server").map(({ name, state }) => `${name}: ${state}`);
  assert.deepEqual(servers, ["mail.elsewhere.org: soon"]);
});

test("Prometheus gets names that are quoted as it wants them", () => {
  const text = prometheusText([
    { kind: "client", name: 'a"b\\c\nd', serial: "01", endsAt: day(0), leftDays: 1, state: "soon" },
    { kind: "revocation list", name: "x", serial: "02", endsAt: undefined, leftDays: 0, state: "ended" },
  ]);
  assert.match(text, /^# TYPE holdfast_mail_expiry_timestamp_seconds gauge$/m);
  const first = String.raw`{kind="client",name="a\"b\\c\nd",serial="01",state="soon"} ${day(0).getTime() / 1000}`;
  assert.ok(text.includes(`holdfast_mail_expiry_timestamp_seconds${first}\n`));
  assert.match(text, /serial="02",state="ended"\} 0\n$/);
});

test("what is damaged in an authority's folder is told by its name", () => {
  const cases: readonly (readonly [string, string | undefined, string])[] = [
    ["root.pem", undefined, "not-found"],
    ["root.pem", "nothing", "damaged"],
    ["issuing-1.pem", undefined, "damaged"],
  ];
  for (const [name, text, code] of cases) {
    const copy = folder.join("copy");
    fs.rmSync(copy, { recursive: true, force: true });
    fs.cpSync(place, copy, { recursive: true });
    if (text === undefined) fs.rmSync(`${copy}/${name}`);
    else fs.writeFileSync(`${copy}/${name}`, text);
    assert.throws(() => openAuthority(copy), { name: "Failure", code });
  }
  assert.throws(() => openAuthority(folder.join("nowhere")), { code: "not-found", hint: /mail init/ });
});
