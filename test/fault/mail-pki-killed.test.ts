/** Killed at every single change of a file: what was revoked stays so, and all can be read and done again. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { after, before, test } from "node:test";
import {
  createAuthority,
  issueClient,
  issueServer,
  loadBundle,
  openAuthority,
  readRegister,
  renewIssuer,
  renewRevocationList,
  renewRevocationListIfDue,
  revokeCertificates,
  serverCertificate,
  verifyClient,
  type IssuedCertificate,
} from "../../src/mail/pki/index.ts";
import { addDomain, addUser, listUsers, removeUser, setPassword } from "../../src/mail/users/index.ts";
import { day, passphrase, sampleAuthority } from "../mail/pki/sample-authority.ts";
import { temporaryFolder } from "../temp.ts";
import { killedAt } from "./killed-writes.ts";

const folder = temporaryFolder();
const original = folder.join("original");
const place = folder.join("pki");
const issued = new Map<string, IssuedCertificate>();
const now = day(40); // a renewal is due then

const request = (device: string) =>
  ({ mailbox: "joe@example.org", device, keyType: "ec-p256", days: 300, now: day(0), replace: false }) as const;

before(async () => {
  const authority = await sampleAuthority(original);
  for (const device of ["lost", "stolen", "kept"]) {
    issued.set(device, (await issueClient(authority, request(device))).issued);
  }
  await revokeCertificates(authority, [serialOf("lost")], { reason: "keyCompromise", now: day(1) });
});
after(() => folder[Symbol.asyncDispose]());

function serialOf(device: string): string {
  return issued.get(device)?.serial ?? "";
}

function refusalOf(device: string): string | undefined {
  return verifyClient(issued.get(device)?.certificate.der, now, loadBundle(place)).refusal;
}

/** Kills some work at each of its changes, looks at what is left, and does it again. */
async function killAtEach(work: () => Promise<unknown>, look: (isDone: boolean) => void): Promise<number> {
  for (let nth = 1; ; nth++) {
    fs.rmSync(place, { recursive: true, force: true });
    fs.cpSync(original, place, { recursive: true });
    const isDone = await killedAt(nth, work);
    assert.equal(refusalOf("lost"), "revoked");
    assert.notEqual(serverCertificate(place), undefined);
    await renewRevocationListIfDue(place, now); // as the server does when it starts
    assert.equal(refusalOf("lost"), "revoked");
    assert.equal(refusalOf("kept"), undefined);
    look(isDone);
    if (isDone) return nth;
    await work();
    look(true);
  }
}

test("a revocation is noted or not, and a noted one is in the list at the next start", async () => {
  const work = () => revokeCertificates(openAuthority(place), [serialOf("stolen")], { reason: "keyCompromise", now });
  const count = await killAtEach(work, (isDone) => {
    const isNoted = readRegister(place).some(
      ({ serial, revoked }) => serial === serialOf("stolen") && revoked !== undefined,
    );
    assert.ok(isNoted || !isDone);
    assert.equal(refusalOf("stolen"), isNoted ? "revoked" : undefined);
  });
  assert.ok(count > 10);
});

test("a certificate that replaces another revokes it only once it is there itself", async () => {
  const work = () => issueClient(openAuthority(place), { ...request("stolen"), now, replace: true });
  await killAtEach(work, (isDone) => {
    const devices = readRegister(place).filter(({ name }) => name === "stolen");
    assert.ok(devices.length > 1 || !isDone);
    assert.ok(devices.some(({ revoked }) => revoked === undefined));
    if (isDone) assert.equal(devices.filter(({ revoked }) => revoked === undefined).length, 1);
  });
});

test("a list that is renewed is the one before or the one after", async () => {
  await killAtEach(
    () => renewRevocationList(place, now),
    () => assert.equal(refusalOf("stolen"), undefined),
  );
});

test("the server has a certificate with its key at all times", async () => {
  const work = () => issueServer(openAuthority(place), { hosts: ["new.example.org"], key: "ec-p256", now });
  await killAtEach(work, (isDone) => {
    const hosts = serverCertificate(place)?.altNames.hosts ?? [];
    assert.ok(hosts.includes("new.example.org") || (!isDone && hosts.includes("mail.example.org")));
  });
});

test("a new issuing authority is there or not", async () => {
  const work = () => renewIssuer(place, { passphrase, keyType: "ec-p256", revokeOld: false, now });
  await killAtEach(work, () => {
    const { issuing } = openAuthority(place);
    const bundle = loadBundle(place);
    for (const { certificate } of issuing) {
      assert.ok(bundle.authorities.some((one) => one.certificate.serial === certificate.serial));
    }
  });
});

test("an authority is there with all of it, or not at all", async () => {
  for (let nth = 1; ; nth++) {
    const fresh = folder.join(`fresh-${nth}`);
    const make = {
      organization: "example.org",
      passphrase,
      iterations: 1000,
      keyType: "ec-p256",
      hosts: ["localhost"],
      now,
    } as const;
    const isDone = await killedAt(nth, () => createAuthority(fresh, make));
    if (fs.existsSync(fresh)) assert.equal(loadBundle(fresh).authorities.length, 2);
    if (isDone) break;
  }
});

test("users are before or after a change, and nobody gets in without the password", async () => {
  const domains = folder.join("domains");
  const joe = { mailbox: "joe@example.org", storedPassword: "{PLAIN}a" };
  const works = [
    () => addUser(domains, { mailbox: "patrick@example.org", storedPassword: "{PLAIN}b" }),
    () => setPassword(domains, "joe@example.org", "{PLAIN}c"),
    () => removeUser(domains, "joe@example.org"),
  ];
  for (const work of works) {
    for (let nth = 1, isDone = false; !isDone; nth++) {
      fs.rmSync(domains, { recursive: true, force: true });
      await addDomain(domains, "example.org");
      await addUser(domains, joe);
      isDone = await killedAt(nth, work);
      for (const user of listUsers(domains, "example.org")) assert.ok(user.hasPassword, user.mailbox);
      await addUser(domains, { mailbox: "tim@example.org", storedPassword: "{PLAIN}d" });
    }
  }
});
