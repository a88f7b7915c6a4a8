/** What OpenSSL and GnuTLS make of the certificates, lists and files of devices. */
import assert from "node:assert/strict";
import * as crypto from "node:crypto";
import { once } from "node:events";
import * as fs from "node:fs";
import type { AddressInfo } from "node:net";
import * as tls from "node:tls";
import { after, before, test } from "node:test";
import {
  issueClient,
  issueForKey,
  loadBundle,
  prepareDeviceFolder,
  readSigningRequest,
  revokeCertificates,
  verifyClient,
  writeDeviceFiles,
  type Authority,
  type IssuedKey,
  type KeyType,
} from "../../src/mail/pki/index.ts";
import { hostsExtension } from "../../src/mail/pki/alt-names.ts";
import { readCertificate } from "../../src/mail/pki/certificate.ts";
import { encryptKey, readKey } from "../../src/mail/pki/encrypted-key.ts";
import { extKeyUsageExtension, noAuthorityExtension } from "../../src/mail/pki/extensions.ts";
import { keyTypes, newKey } from "../../src/mail/pki/new-key.ts";
import { encodePem, readPem } from "../../src/mail/pki/pem.ts";
import { day, madeCertificate, passphrase, sampleAuthority } from "../mail/pki/sample-authority.ts";
import { temporaryFolder } from "../temp.ts";
import { runPeer, skipWithout } from "./peer.ts";

const folder = temporaryFolder();
const place = folder.join("pki");
const skip = skipWithout("openssl", "certtool");
const noon = (number: number): string => String(day(number).getTime() / 1000);
let authority: Authority;

before(async () => {
  authority = await sampleAuthority(place);
});
after(() => folder[Symbol.asyncDispose]());

async function issue(device: string, keyType: KeyType = "ec-p256"): Promise<IssuedKey & { file: string }> {
  const request = { mailbox: "joe@example.org", device, keyType, days: 60, now: day(0), replace: false };
  const issued = await issueClient(authority, request);
  const file = folder.join(`${device}.pem`);
  fs.writeFileSync(file, encodePem("CERTIFICATE", issued.issued.certificate.der));
  return { ...issued, file };
}

/** What OpenSSL says of a certificate with all authorities and lists, as Dovecot and nginx ask it. */
function opensslVerifies(file: string, at: number, purpose = "sslclient"): string {
  const words = ["-crl_check_all", "-x509_strict", "-purpose", purpose, "-attime", noon(at)];
  try {
    return runPeer("openssl", ["verify", ...words, "-CAfile", `${place}/bundle.pem`, file]).trim();
  } catch (error) {
    return String((error as { stderr: unknown }).stderr);
  }
}

test("OpenSSL and this program agree on who is let in", { skip }, async () => {
  const bundle = () => loadBundle(place);
  for (const keyType of keyTypes) {
    const { file, issued } = await issue(keyType, keyType);
    assert.equal(opensslVerifies(file, 1), `${file}: OK`);
    assert.match(opensslVerifies(file, 61), /certificate has expired/);
    assert.match(opensslVerifies(file, -2), /not yet valid/);
    assert.match(opensslVerifies(file, 95), /has expired/);
    assert.match(opensslVerifies(file, 1, "sslserver"), /(unsupported|unsuitable) certificate purpose/);
    assert.equal(verifyClient(issued.certificate.der, day(1), bundle()).holder?.mailbox, "joe@example.org");
  }
  const { file, issued } = await issue("lost");
  await revokeCertificates(authority, [issued.serial], { reason: "keyCompromise", now: day(1) });
  assert.match(opensslVerifies(file, 2), /certificate revoked/);
  assert.equal(opensslVerifies(folder.join("ec-p256.pem"), 2), `${folder.join("ec-p256.pem")}: OK`);
  assert.equal(opensslVerifies(`${place}/server.pem`, 2, "sslserver"), `${place}/server.pem: OK`);
});

test("OpenSSL reads in a certificate what was put there", { skip }, async () => {
  const { file, issued } = await issue("names");
  const text = runPeer("openssl", ["x509", "-in", file, "-noout", "-text"]);
  assert.match(text, /Subject: O = example\.org, OU = names, CN = joe@example\.org/);
  assert.match(text, /Key Usage: critical\s+Digital Signature\n/);
  assert.match(text, /Extended Key Usage: \s+TLS Web Client Authentication\n/);
  assert.match(text, /Alternative Name: \s+email:joe@example\.org\n/);
  assert.match(text, /Basic Constraints: critical\s+CA:FALSE/);
  const serial = runPeer("openssl", ["x509", "-in", file, "-noout", "-serial"]).trim();
  assert.equal(serial, `serial=${issued.serial}`);
  const server = runPeer("openssl", ["x509", "-in", `${place}/server.pem`, "-noout", "-ext", "subjectAltName"]);
  assert.match(server, /DNS:mail\.example\.org, DNS:localhost, IP Address:127\.0\.0\.1, IP Address:0:0:0:0:0:0:0:1\n/);
  const own = readCertificate(readPem(fs.readFileSync(`${place}/server.pem`, "utf8"))[1]?.bytes ?? new Uint8Array());
  assert.deepEqual(own.altNames.addresses, ["127.0.0.1", "::1"]);
});

test("with a stolen issuing key, OpenSSL accepts no certificate for the names of others", { skip }, async () => {
  const own = folder.join("own-names");
  const constrained = await sampleAuthority(own, day(0), { domains: ["example.org"], hosts: ["mail.example.net"] });
  const thief = {
    privateKey: crypto.createPrivateKey(fs.readFileSync(`${own}/issuing-1.key`)),
    name: constrained.current.certificate.subject,
  };
  const said = (hosts: readonly string[]): string => {
    const extensions = [noAuthorityExtension(), extKeyUsageExtension("serverAuth"), hostsExtension(hosts)];
    const made = madeCertificate({ extensions, subject: { organization: "thief" } }, thief);
    fs.writeFileSync(folder.join("thief.pem"), encodePem("CERTIFICATE", made.der));
    const words = ["verify", "-purpose", "sslserver", "-attime", noon(1), "-CAfile", `${own}/bundle.pem`];
    try {
      return runPeer("openssl", [...words, folder.join("thief.pem")]);
    } catch (error) {
      return String((error as { stderr: unknown }).stderr);
    }
  };
  for (const host of ["mail.example.net", "imap.example.org"]) assert.match(said([host]), /OK$/m);
  for (const host of ["bank.example.com", "192.0.2.1", "::1"])
    assert.match(said([host]), /(permitted|excluded) subtree violation/);
});

test("GnuTLS verifies the chain and the list", { skip }, async () => {
  const now = new Date(); // certtool knows no other time
  const own = folder.join("today");
  const today = await sampleAuthority(own, now, { domains: ["example.org"], hosts: ["192.0.2.7"] });
  const request = { mailbox: "joe@example.org", keyType: "ec-p256", days: 60, now, replace: false } as const;
  const [good, lost] = [
    await issueClient(today, { ...request, device: "good" }),
    await issueClient(today, { ...request, device: "lost" }),
  ];
  await revokeCertificates(today, [lost.issued.serial], { reason: "superseded", now });
  const list = folder.join("crl.pem");
  fs.writeFileSync(list, runPeer("openssl", ["crl", "-in", `${own}/bundle.pem`]));
  const verify = ({ issued }: IssuedKey): string => {
    const chain = folder.join("chain.pem");
    const issuer = fs.readFileSync(`${own}/issuing-1.pem`, "utf8");
    fs.writeFileSync(chain, encodePem("CERTIFICATE", issued.certificate.der) + issuer);
    const words = ["--verify", "--verify-profile", "medium", "--verify-email", "joe@example.org"];
    const authorities = ["--load-ca-certificate", `${own}/root.pem`, "--load-crl", list];
    try {
      return runPeer("certtool", [...words, ...authorities, "--infile", chain]);
    } catch (error) {
      return String((error as { stdout: unknown }).stdout);
    }
  };
  assert.match(verify(good), /Chain verification output: Verified\. The certificate is trusted\./);
  assert.match(verify(lost), /Chain verification output: Not verified.* revoked/);
});

test("a list of OpenSSL's and an authority of OpenSSL's are read, and found to say the same", { skip }, async () => {
  const ca = folder.join("ca");
  fs.mkdirSync(ca);
  fs.writeFileSync(`${ca}/index.txt`, "");
  fs.writeFileSync(`${ca}/crlnumber`, "0A\n");
  const settings = [
    "[ca]\ndefault_ca = own\n[own]",
    ...Object.entries({ database: "index.txt", crlnumber: "crlnumber", new_certs_dir: ".", default_md: "sha256" }).map(
      ([key, value]) => `${key} = ${value}`,
    ),
    "rand_serial = yes\npolicy = any\nemail_in_dn = no\ncopy_extensions = copy\n[any]\ncommonName = supplied",
    "[client]\nbasicConstraints = CA:FALSE\nextendedKeyUsage = clientAuth\nsubjectAltName = email:Patrick@Example.org",
    "[req]\ndistinguished_name = name\n[name]\n",
  ].join("\n");
  fs.writeFileSync(`${ca}/openssl.cnf`, settings);
  const openssl = (...words: readonly string[]): string => runPeer("openssl", words, { cwd: ca });
  const key = (name: string): string[] => ["-newkey", "rsa:2048", "-nodes", "-keyout", `${name}.key`];
  openssl(
    "req",
    "-x509",
    ...key("ca"),
    "-config",
    "openssl.cnf",
    "-subj",
    "/CN=Own",
    "-days",
    "30",
    "-out",
    "ca.pem",
    "-addext",
    "basicConstraints=critical,CA:TRUE",
  );
  const signed = ["ca", "-batch", "-config", "openssl.cnf", "-cert", "ca.pem", "-keyfile", "ca.key"];
  for (const name of ["kept", "gone"]) {
    openssl("req", "-new", ...key(name), "-config", "openssl.cnf", "-subj", `/CN=${name}`, "-out", `${name}.csr`);
    openssl(...signed, "-extensions", "client", "-days", "20", "-in", `${name}.csr`, "-out", `${name}.pem`);
  }
  openssl(...signed, "-revoke", "gone.pem", "-crl_reason", "keyCompromise");
  openssl(...signed, "-gencrl", "-crldays", "10", "-out", "crl.pem");
  openssl("crl", "-in", "crl.pem", "-outform", "DER", "-out", "crl.der");
  const now = new Date();
  for (const list of ["crl.pem", "crl.der"]) {
    const bundle = loadBundle(place, { others: [`${ca}/ca.pem`, `${ca}/${list}`] });
    const verdictOf = (name: string) => {
      const [own] = readPem(fs.readFileSync(`${ca}/${name}.pem`, "utf8"));
      return verifyClient(own?.bytes, now, bundle);
    };
    assert.equal(verdictOf("kept").holder?.mailbox, "patrick@example.org");
    assert.equal(verdictOf("gone").refusal, "revoked");
    assert.equal(bundle.authorities.find(({ list: one }) => one?.number === 10n)?.list?.revoked.size, 1);
  }
});

test("both kinds of PKCS #12 are opened by OpenSSL, GnuTLS and Node", { skip }, async () => {
  for (const mode of ["modern", "legacy"] as const) {
    const { issued, privateKey } = await issue(mode, mode === "legacy" ? "rsa-2048" : "ec-p256");
    const server = { host: "mail.example.org", imapsPort: 993, pop3sPort: 995 };
    const account = {
      mailbox: "joe@example.org",
      ...server,
      smtpHost: server.host,
      smtpPort: 587,
      isCertificateAlone: false,
    };
    const out = folder.join(`out-${mode}`);
    prepareDeviceFolder(out, { mailbox: account.mailbox, device: mode, formats: ["p12", "pem"] });
    const request = { issued, privateKey, account, mode, passphrase: "grüne Wiese 42" };
    await writeDeviceFiles(out, authority, { ...request, formats: ["p12", "pem"] });
    const file = `${out}/joe-${mode}.p12`;
    const info = runPeer(
      "openssl",
      ["pkcs12", "-in", file, "-info", "-nodes", "-passin", `pass:${request.passphrase}`],
      {
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    assert.equal(readPem(info).filter(({ label }) => label === "CERTIFICATE").length, 3);
    const key = readPem(info).find(({ label }) => label === "PRIVATE KEY");
    const expected = privateKey.export({ format: "der", type: "pkcs8" });
    const found = crypto.createPrivateKey({ key: Buffer.from(key?.bytes ?? []), format: "der", type: "pkcs8" });
    assert.deepEqual(found.export({ format: "der", type: "pkcs8" }), expected);
    tls.createSecureContext({ pfx: fs.readFileSync(file), passphrase: request.passphrase }); // or throws
    assert.match(info, /friendlyName: joe@example\.org/);
    const words = ["--p12-info", "--inder", "--infile", file, "--password", request.passphrase];
    const shown = runPeer("certtool", words);
    assert.match(shown, mode === "legacy" ? /Cipher: 3DES-CBC/ : /Cipher: AES-256-CBC/);
    assert.match(shown, mode === "legacy" ? /MAC: SHA1 / : /MAC: SHA256 /);
    const wrong = ["pkcs12", "-in", file, "-noout", "-passin", "pass:wrong"];
    assert.throws(() => runPeer("openssl", wrong), /Mac verify error/);
    assert.equal(opensslVerifies(`${out}/joe-${mode}.pem`, 1), `${out}/joe-${mode}.pem: OK`);
  }
});

test(
  "the root's key is opened by OpenSSL and GnuTLS with its passphrase, and by nobody without",
  { skip },
  async () => {
    const key = fs.readFileSync(`${place}/root.key`, "utf8");
    const fromOpenssl = runPeer("openssl", [
      "pkey",
      "-in",
      `${place}/root.key`,
      "-passin",
      `pass:${passphrase}`,
      "-pubout",
    ]);
    const fromRoot = runPeer("openssl", ["x509", "-in", `${place}/root.pem`, "-noout", "-pubkey"]);
    assert.equal(fromOpenssl, fromRoot);
    const words = ["--key-info", "--infile", `${place}/root.key`, "--password", passphrase];
    assert.match(runPeer("certtool", words), /Public Key Info|EC\/ECDSA/);
    // Of 256 wrong ones about one looks right at first, as its padding is.
    const cheap = await encryptKey(newKey("ec-p256").privateKey, passphrase, 1);
    for (let wrong = 0; wrong < 1000; wrong++) {
      assert.throws(() => readKey(cheap, `wrong ${wrong}`, "root.key"), { code: "refused" });
    }
    assert.throws(() => readKey(key, undefined, "root.key"), { code: "usage" });
    assert.throws(() => readKey("nothing", "x", "root.key"), { code: "damaged" });
    const { privateKey } = newKey("ec-p256");
    const byOpenssl = folder.join("openssl.key");
    fs.writeFileSync(folder.join("plain.key"), privateKey.export({ format: "pem", type: "pkcs8" }));
    runPeer("openssl", [
      "pkcs8",
      "-topk8",
      "-scrypt",
      "-in",
      folder.join("plain.key"),
      "-passout",
      "pass:abc",
      "-out",
      byOpenssl,
    ]);
    for (const pem of [fs.readFileSync(byOpenssl, "utf8"), await encryptKey(privateKey, "abc")]) {
      assert.ok(readKey(pem, "abc", "key").equals(privateKey));
    }
  },
);

test("a key that a device made itself gets a certificate by its signing request", { skip }, async () => {
  const [key, csr] = [folder.join("own.key"), folder.join("own.csr")];
  const made = ["req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-subj", "/CN=root@example.org"];
  for (const form of ["PEM", "DER"]) {
    runPeer("openssl", [...made, "-outform", form, "-out", csr]);
    const request = { mailbox: "joe@example.org", device: `own-${form}`, days: 60, replace: false, now: day(0) };
    const { certificate } = await issueForKey(authority, readSigningRequest(csr), request);
    fs.writeFileSync(folder.join("own.pem"), encodePem("CERTIFICATE", certificate.der));
    assert.equal(opensslVerifies(folder.join("own.pem"), 1), `${folder.join("own.pem")}: OK`);
    assert.ok(crypto.createPublicKey(fs.readFileSync(key)).equals(certificate.publicKey));
    assert.equal(verifyClient(certificate.der, day(1), loadBundle(place)).holder?.mailbox, "joe@example.org");
  }
  const request = fs.readFileSync(csr);
  request[request.length - 1] = (request.at(-1) ?? 0) ^ 1;
  fs.writeFileSync(csr, request);
  assert.throws(() => readSigningRequest(csr), { code: "mismatch" });
  for (let length = 0; length < request.length; length += 7) {
    fs.writeFileSync(csr, request.subarray(0, length));
    assert.throws(() => readSigningRequest(csr), { name: "Failure", code: "damaged" });
  }
});

test("a server of Node's own takes the bundle as it is", async () => {
  const now = new Date();
  const own = folder.join("node");
  const today = await sampleAuthority(own, now);
  const request = { mailbox: "joe@example.org", keyType: "ec-p256", days: 60, now, replace: false } as const;
  const [good, lost] = [
    await issueClient(today, { ...request, device: "good" }),
    await issueClient(today, { ...request, device: "lost" }),
  ];
  await revokeCertificates(today, [lost.issued.serial], { reason: "superseded", now });
  const { certificatesPem } = loadBundle(own);
  const blocks = readPem(fs.readFileSync(`${own}/bundle.pem`, "utf8"));
  const lists = blocks.filter(({ label }) => label === "X509 CRL").map(({ bytes }) => encodePem("X509 CRL", bytes));
  const server = fs.readFileSync(`${own}/server.pem`, "utf8");
  const trusted = { ca: [...certificatesPem], crl: lists, requestCert: true, rejectUnauthorized: false };
  const listener = tls.createServer({ key: server, cert: server, ...trusted });
  await new Promise<void>((resolve) => void listener.listen(0, "127.0.0.1", resolve));
  const { port } = listener.address() as AddressInfo;
  try {
    const verdicts: string[] = [];
    for (const { issued, privateKey } of [good, lost]) {
      const accepted = once(listener, "secureConnection") as Promise<[tls.TLSSocket]>;
      const cert = encodePem("CERTIFICATE", issued.certificate.der);
      const key = privateKey.export({ format: "pem", type: "pkcs8" });
      const client = tls.connect({ port, host: "127.0.0.1", ca: fs.readFileSync(`${own}/root.pem`), cert, key });
      const [socket] = await accepted;
      verdicts.push(socket.authorized ? "authorized" : String(socket.authorizationError));
      client.destroy();
      socket.destroy();
    }
    assert.deepEqual(verdicts, ["authorized", "CERT_REVOKED"]);
  } finally {
    listener.close();
  }
});
