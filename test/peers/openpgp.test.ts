import assert from "node:assert/strict";
import * as fs from "node:fs";
import { after, before, suite, test } from "node:test";
import { AptConfiguration } from "../../src/debian/apt/index.ts";
import { Failure } from "../../src/base/index.ts";
import { parseKeyring, verifyCleartext, verifyDetached } from "../../src/openpgp/index.ts";
import { certificate, clearsign, day, makeKey, type KeyKind } from "../openpgp/openpgp-maker.ts";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";
import { runPeer, skipWithout } from "./peer.ts";

const nowMs = Date.now();
const text = "Origin: Test\n- dashes\n-----dashes\nFrom blanks \t \n\n\nlast line";
const trimmed = text.replaceAll(/[ \t]+$/gm, "");

/** The fingerprints whose signatures gpgv takes for good; its status lines tell. */
function gpgv(keyring: string, ...files: readonly string[]): string[] {
  let status = "";
  try {
    status = runPeer("gpgv", ["--status-fd", "1", "--keyring", keyring, ...files]);
  } catch (error) {
    status = String((error as { stdout?: unknown }).stdout);
    if (status.includes("BADSIG")) return ["bad"];
  }
  return [...status.matchAll(/^\[GNUPG:\] VALIDSIG (\S+)/gm)].map(([, fingerprint]) => fingerprint ?? "");
}

function ours(keyring: Uint8Array, message: string): string[] {
  try {
    const options = { keyring: parseKeyring(keyring, "ring"), nowMs };
    return verifyCleartext(Buffer.from(message), options).signatures.map(({ fingerprint }) => fingerprint);
  } catch (error) {
    assert.ok(error instanceof Failure, String(error));
    return error.code === "mismatch" ? ["bad"] : [];
  }
}

suite("keys and signatures of gpg", { skip: skipWithout("gpg", "gpgv", "gpgconf") }, () => {
  let folder: TemporaryFolder;
  const gpg = (args: readonly string[], input = ""): string => {
    const options = [
      "--batch",
      "--no-tty",
      "--quiet",
      "--homedir",
      folder.path,
      "--pinentry-mode",
      "loopback",
      "--passphrase",
      "",
    ];
    return runPeer("gpg", [...options, ...args], { input });
  };
  before(() => {
    folder = temporaryFolder();
    fs.chmodSync(folder.path, 0o700);
  });
  after(async () => {
    runPeer("gpgconf", ["--homedir", folder.path, "--kill", "all"]);
    await folder[Symbol.asyncDispose]();
  });

  for (const algorithm of ["rsa3072", "ed25519", "nistp256/ecdsa", "nistp384/ecdsa", "nistp521/ecdsa"]) {
    test(`${algorithm}: cleartext, detached, detached over text; from the key and from a subkey`, () => {
      const name = `${algorithm.replace("/", "-")}@example.org`;
      gpg(["--quick-generate-key", name, algorithm, "cert,sign", "2y"]);
      const export_ = (): Uint8Array => Buffer.from(gpg(["--armor", "--export", name]));
      const content = folder.join(`content-${name}`);
      fs.writeFileSync(content, text);
      const checkAll = (): void => {
        const keyring = export_();
        const options = { keyring: parseKeyring(keyring, "ring"), nowMs };
        const message = gpg(["--clearsign", "--local-user", name, "--digest-algo", "SHA512", "--output", "-", content]);
        assert.equal(verifyCleartext(Buffer.from(message), options).text, `${trimmed}\n`);
        assert.deepEqual(ours(keyring, message.replace("dashes", "bashes")), ["bad"]);
        for (const form of [[], ["--armor"], ["--textmode"]]) {
          gpg([...form, "--yes", "--detach-sign", "--local-user", name, "--output", `${content}.sig`, content]);
          const good = verifyDetached(fs.readFileSync(content), fs.readFileSync(`${content}.sig`), options);
          assert.equal(good.length, 1);
        }
      };
      checkAll();
      const primary = /^fpr:+([0-9A-F]+):/m.exec(gpg(["--with-colons", "--list-keys", name]))?.[1] ?? "";
      gpg(["--quick-add-key", primary, algorithm, "sign", "1y"]);
      checkAll();
    });
  }

  test("a key that gpg has revoked does not count, nor one that it made expire before", () => {
    const january = ["--faked-system-time", "20250101T000000!"];
    for (const [name, change] of [
      ["revoked@example.org", (fingerprint: string) => revoke(fingerprint)],
      [
        "expired@example.org",
        (fingerprint: string) =>
          gpg(["--faked-system-time", "20250102T000000!", "--quick-set-expire", fingerprint, "1m"]),
      ],
    ] as const) {
      gpg([...january, "--quick-generate-key", name, "ed25519", "sign", "2y"]);
      const message = gpg(["--clearsign", "--local-user", name], text);
      const fingerprint = /^fpr:+([0-9A-F]+):/m.exec(gpg(["--with-colons", "--list-keys", name]))?.[1] ?? "";
      assert.deepEqual(ours(Buffer.from(gpg(["--armor", "--export", name])), message), [fingerprint]);
      change(fingerprint);
      assert.deepEqual(ours(Buffer.from(gpg(["--armor", "--export", name])), message), []);
    }
  });

  /** gpg keeps a revocation of each key that it makes beside it, with a colon before its first line. */
  function revoke(fingerprint: string): void {
    const prepared = fs.readFileSync(folder.join("openpgp-revocs.d", `${fingerprint}.rev`), "utf8");
    gpg(["--import"], prepared.replace(":-----BEGIN", "-----BEGIN"));
  }
});

suite("gpgv about the keys and signatures of these tests", { skip: skipWithout("gpgv") }, () => {
  const made = nowMs - 200 * day;
  const createdMs = nowMs - 100 * day;

  for (const kind of ["rsa", "eddsa", "p256"] satisfies readonly KeyKind[]) {
    test(`${kind}: both say the same of good and wrong ones`, async () => {
      await using folder = temporaryFolder();
      const key = makeKey(kind, made);
      const subkey = makeKey(kind, made);
      const rings: readonly Uint8Array[] = [
        certificate(key),
        certificate(key, { flags: 1, subkeys: [{ key: subkey }] }),
        certificate(key, { revocation: { atMs: createdMs - day, reason: 0 } }),
        certificate(key, { subkeys: [{ key: subkey, withoutBackSignature: true }] }),
      ];
      const messages = [
        clearsign(text, [[key, { createdMs }]]),
        clearsign(text, [[subkey, { createdMs }]]),
        clearsign(text, [[key, { createdMs, hash: 1 }]]),
        clearsign(text, [[key, { createdMs }]]).replace("last", "least"),
      ];
      const seen = new Set<string>();
      for (const [n, ring] of rings.entries()) {
        for (const [m, message] of messages.entries()) {
          fs.writeFileSync(folder.join("ring.gpg"), ring);
          fs.writeFileSync(folder.join("message"), message);
          const expected = gpgv(folder.join("ring.gpg"), folder.join("message"));
          // gpgv counts signatures of revoked keys as valid; its callers look further. It takes MD5 for a bad signature.
          const wanted = n === 2 ? expected.filter((one) => one === "bad") : expected;
          const said = ours(ring, message);
          seen.add(said.length === 0 ? "none" : said[0] === "bad" ? "bad" : "good");
          assert.deepEqual(said, m === 2 ? [] : wanted, `ring ${n}, message ${m}`);
        }
      }
      assert.deepEqual([...seen].toSorted(), ["bad", "good", "none"]);
    });
  }
});

const lists = AptConfiguration.read(process.env).path("dir::state::lists");
const archiveKeyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
const inReleases = fs.existsSync(lists) ? fs.readdirSync(lists).filter((name) => name.endsWith("InRelease")) : [];

test(
  "what apt has fetched on this machine: the same signatures as gpgv",
  { skip: skipWithout("gpgv", archiveKeyring) },
  () => {
    const keyring = fs.readFileSync(archiveKeyring);
    for (const name of inReleases) {
      const file = `${lists}/${name}`;
      assert.deepEqual(ours(keyring, fs.readFileSync(file, "latin1")), gpgv(archiveKeyring, file), name);
    }
  },
);
