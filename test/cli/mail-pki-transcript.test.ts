/** From nothing to two users with certificates, as it is typed and seen. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { after, test } from "node:test";
import { loadBundle, verifyClient } from "../../src/mail/pki/index.ts";
import { readPem } from "../../src/mail/pki/pem.ts";
import { readMailSettings } from "../../src/mail/settings/index.ts";
import { temporaryFolder } from "../temp.ts";
import { runPeer, skipWithout } from "../peers/peer.ts";
import { runHoldfast } from "./run-holdfast.ts";
import { runWithin } from "./run-within.ts";

const folder = temporaryFolder();
const place = folder.join("mail");
const env = { HOLDFAST_MAIL: place, HOLDFAST_CA_PASSWORD: "correct horse", HOLDFAST_PASSWORD: "staple 7" };
after(() => folder[Symbol.asyncDispose]());

/** What a command prints that does what it is told. */
async function mail(...words: readonly string[]): Promise<string> {
  const { stdout, stderr, status } = await runWithin(["mail", ...words], env);
  assert.deepEqual({ stderr, status }, { stderr: "", status: 0 }, words.join(" "));
  return stdout;
}

/** What a command says that does not. */
async function failed(status: number, ...words: readonly string[]): Promise<string> {
  const transcript = await runWithin(["mail", ...words], env);
  assert.equal(transcript.status, status, transcript.stderr);
  return transcript.stderr;
}

test("init sets up a domain, once", async () => {
  const text = await mail("init", "example.org", "--host", "mail.example.org", "--host", "::1", "--account", "post");
  assert.match(text, /^authority: until 20\d\d-\d\d-\d\d, issuing until 20/m);
  assert.match(text, /^server: mail\.example\.org, ::1, until 20/m);
  assert.match(text, /^next: holdfast mail user add NAME@example\.org$/m);
  assert.doesNotMatch(text, /correct horse/);
  assert.match(fs.readFileSync(`${place}/mail.toml`, "utf8"), /^host_name = "mail\.example\.org"$/m);
  const settings = await readMailSettings(place);
  assert.deepEqual(
    [settings.account, settings.hostName, settings.domains],
    ["post", "mail.example.org", ["example.org"]],
  );
  for (const secret of ["pki/root.key", "pki/issuing-1.key", "pki/server.pem", "domains/example.org/imap.shadow"]) {
    assert.equal(fs.statSync(`${place}/${secret}`).mode & 0o777, 0o600, secret);
  }
  assert.match(fs.readFileSync(`${place}/pki/root.key`, "utf8"), /^-----BEGIN ENCRYPTED PRIVATE KEY-----/);
  assert.match(await failed(1, "init", "example.org"), /cannot set up "example\.org": it is set up/);
  const root = fs.readFileSync(`${place}/pki/root.pem`, "utf8");
  await mail("init", "second.org"); // by the root, as the issuing authority may not issue for it
  assert.equal(fs.readFileSync(`${place}/pki/root.pem`, "utf8"), root);
  assert.match(
    await failed(4, "cert", "server", "--host", "bank.example.com"),
    /the issuing authority may not\nhint: "holdfast mail cert renew-issuer --host/,
  );
  await mail("user", "add", "ann@second.org", "--no-password");
  await mail("cert", "issue", "ann@second.org", "-d", "pc", "-o", folder.join("ann"));
  await mail("user", "remove", "ann@second.org");
});

test("without a passphrase and a terminal nothing is set up", async () => {
  const other = folder.join("other");
  const { stderr, status } = await runHoldfast(["mail", "init", "example.org", "--folder", other]);
  assert.equal(status, 2);
  assert.match(stderr, /^hint: give --ca-password-file FILE, or HOLDFAST_CA_PASSWORD/m);
  assert.ok(!fs.existsSync(other));
});

test("users are added, with a password or without", async () => {
  await mail("user", "add", "Joe@example.org", "--home", "/home/joe", "--uid", "1000");
  await mail("user", "add", "patrick@example.org", "--no-password");
  assert.match(await failed(1, "user", "add", "joe@example.org"), /there is such a user already/);
  assert.match(await failed(1, "user", "add", "joe@elsewhere.org"), /"holdfast mail init elsewhere\.org" makes it one/);
  assert.match(await failed(2, "user", "add", "joe"), /cannot understand the mailbox "joe"/);
  const accounts = fs.readFileSync(`${place}/domains/example.org/imap.passwd`, "utf8");
  assert.equal(accounts, "joe@example.org::1000:::/home/joe::\npatrick@example.org:::::::\n");
  const secrets = fs.readFileSync(`${place}/domains/example.org/imap.shadow`, "utf8");
  assert.match(secrets, /^joe@example\.org:\{ARGON2ID\}\$argon2id\$v=19\$m=\d+,t=\d+,p=1\$[^:]+::::::$/m);
  assert.match(secrets, /^patrick@example\.org:::::::$/m);
  await mail("user", "password", "joe@example.org");
  assert.notEqual(fs.readFileSync(`${place}/domains/example.org/imap.shadow`, "utf8"), secrets);
});

test("a device gets its files, and a passphrase that is shown once", async () => {
  const out = folder.join("phone");
  const text = await mail("cert", "issue", "joe@example.org", "--device", "phone", "--out", out);
  assert.match(text, /^joe@example\.org phone: [0-9A-F]{32}, until 20/m);
  assert.match(text, /^passphrase: ([a-z2-9]{4}-){4}[a-z2-9]{4} {2}\(shown only now\)$/m);
  assert.deepEqual(fs.readdirSync(out).toSorted(), ["joe-phone.mobileconfig", "joe-phone.p12", "root.pem"]);
  assert.match(
    await failed(1, "cert", "issue", "joe@example.org", "-d", "phone", "-o", folder.join("again")),
    /it has one already\nhint: give --replace/,
  );
  assert.match(await failed(1, "cert", "issue", "nobody@example.org", "-d", "phone"), /there is no such user/);
  assert.match(await failed(2, "cert", "issue", "joe@example.org", "-d", "../phone"), /cannot call a device/);
});

test("a pair in PEM opens the mailbox, until it is revoked", async () => {
  const out = folder.join("laptop");
  const words = ["joe@example.org", "-d", "laptop", "--format", "pem", "--format", "autoconfig", "-o", out];
  const text = await mail("cert", "issue", ...words);
  assert.doesNotMatch(text, /passphrase/);
  assert.equal(fs.statSync(`${out}/joe-laptop.key`).mode & 0o777, 0o600);
  const [own] = readPem(fs.readFileSync(`${out}/joe-laptop.pem`, "utf8"));
  const verdict = () => verifyClient(own?.bytes, new Date(), loadBundle(`${place}/pki`));
  assert.equal(verdict().holder?.mailbox, "joe@example.org");
  assert.match(await mail("cert", "list"), /^joe@example\.org +laptop +20\S+ +good +[0-9A-F]{32}$/m);
  assert.match(await failed(4, "cert", "revoke", "joe@example.org"), /it has (laptop, phone|phone, laptop)/);
  await mail("cert", "revoke", "joe@example.org", "-d", "laptop", "--reason", "keyCompromise");
  assert.equal(verdict().refusal, "revoked");
  assert.match(await mail("cert", "list", "joe@example.org", "--all"), /laptop .* revoked \S+ \(keyCompromise\)/);
  assert.match(
    await mail("crl", "show"),
    new RegExp(`^ {2}${verdict().refusal === "revoked" ? "[0-9A-F]{32}" : "-"}$`, "m"),
  );
  assert.match(await failed(1, "cert", "revoke", "joe@example.org", "-d", "laptop"), /it is revoked already/);
});

test("a device that has its own key gets a certificate only", { skip: skipWithout("openssl") }, async () => {
  const [key, csr, out] = [folder.join("own.key"), folder.join("own.csr"), folder.join("own")];
  runPeer("openssl", ["req", "-new", "-newkey", "ed25519", "-nodes", "-keyout", key, "-subj", "/CN=x", "-out", csr]);
  const words = ["cert", "issue", "patrick@example.org", "-d", "card", "--csr", csr, "-o", out];
  assert.match(await failed(2, ...words, "--format", "p12"), /the key is on the device only/);
  assert.doesNotMatch(await mail(...words), /passphrase/);
  assert.deepEqual(fs.readdirSync(out).toSorted(), ["patrick-card.pem", "root.pem"]);
});

test("a new certificate for a device replaces the one before", async () => {
  await mail("cert", "issue", "joe@example.org", "-d", "phone", "--replace", "--legacy", "-o", folder.join("new"));
  const { certificates } = JSON.parse(await mail("cert", "list", "--all", "--json")) as {
    certificates: { device?: string; isGood: boolean; reason?: string }[];
  };
  const phones = certificates.filter(({ device }) => device === "phone");
  assert.deepEqual(
    phones.map(({ isGood, reason }) => ({ isGood, reason })),
    [
      { isGood: false, reason: "superseded" },
      { isGood: true, reason: undefined },
    ],
  );
});

test("status says what ends, by its exit status too", async () => {
  assert.match(await mail("status"), /^client +joe@example\.org phone +20\d\d-\d\d-\d\d +\d+ +fine$/m);
  const later = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString();
  assert.match(await failed(1, "status", "--at", later(70)), /cannot call .* fine: revocation list .* ends on 20/);
  assert.match(await failed(3, "status", "--at", later(100)), /revocation list .* ended on 20/);
  const { expiries } = JSON.parse(await mail("status", "--json")) as { expiries: { kind: string; state: string }[] };
  assert.deepEqual(
    new Set(expiries.map(({ kind }) => kind)),
    new Set(["revocation list", "server", "client", "issuer", "root"]),
  );
  assert.match(
    await mail("status", "--prometheus", "--at", later(100)),
    /^holdfast_mail_expiry_timestamp_seconds\{kind="client",name="joe@example\.org phone",serial="[0-9A-F]{32}",state="fine"\} \d{10}$/m,
  );
});

test("the list is renewed, and only where it is due if that is asked for", async () => {
  const bundle = (): string => fs.readFileSync(`${place}/pki/bundle.pem`, "utf8");
  const before = bundle();
  assert.match(await mail("crl", "renew", "--if-due"), /bundle\.pem: not due yet$/m);
  assert.equal(bundle(), before);
  assert.match(await mail("crl", "renew"), /bundle\.pem: renewed$/m);
  assert.notEqual(bundle(), before);
});

test("the root makes a new issuing authority, by its passphrase only", async () => {
  const moved = folder.join("root.key");
  fs.renameSync(`${place}/pki/root.key`, moved);
  assert.match(await failed(1, "cert", "renew-issuer"), /hint: where it was moved to, --root-key FILE says/);
  const wrong = { ...env, HOLDFAST_CA_PASSWORD: "wrong horse" };
  const { stderr, status } = await runWithin(["mail", "cert", "renew-issuer", "--root-key", moved], wrong);
  assert.equal(status, 4);
  assert.match(stderr, /the passphrase is wrong/);
  assert.match(await mail("cert", "renew-issuer", "--root-key", moved), /^issuing authority 3: until 20/m);
  assert.match(await mail("cert", "list"), /phone .* good/); // of the one before
  await mail("cert", "issue", "patrick@example.org", "-d", "pc", "-o", folder.join("pc"));
  await mail("cert", "renew-issuer", "--root-key", moved, "--revoke-old");
  const bundle = loadBundle(`${place}/pki`);
  for (const device of ["phone", "pc"]) {
    const who = device === "pc" ? "patrick@example.org" : "joe@example.org";
    const [own] = readPem(await mail("cert", "export", who, "--device", device));
    assert.equal(verifyClient(own?.bytes, new Date(), bundle).refusal, "authority revoked");
  }
});

test("a user who is removed is let in no more, and the mail stays", async () => {
  assert.match(
    await mail("user", "remove", "joe@example.org", "--dry-run"),
    /: would be removed\n[0-9A-F]{32}: would be revoked/,
  );
  assert.match(await mail("user", "list"), /^joe@example\.org +yes +phone$/m);
  await mail("user", "remove", "joe@example.org");
  assert.doesNotMatch(await mail("user", "list"), /joe/);
  assert.doesNotMatch(await mail("cert", "list"), /joe/);
});
