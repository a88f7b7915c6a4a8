import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { asSumFile, isListOf } from "../../../src/key/verify/sum-file-names.ts";
import { parseSumList } from "../../../src/key/verify/sum-list.ts";

const sha256 = "ab".repeat(32);
const sha512 = "CD".repeat(64);
const md5 = "01".repeat(16);

test("sums are read in every form that programs write them in", () => {
  const text = [
    "# comment",
    "-----BEGIN PGP SIGNED MESSAGE-----",
    `${sha256}  plain.iso`,
    `${sha256} *binary.iso`,
    `${md5}\t./tab.iso\r`,
    `\\${sha256}  a\\\\b\\nc.iso`,
    `SHA512 (bsd one.iso) = ${sha512}`,
    `MD5(openssl.iso)= ${md5}`,
    `SHA2-256(openssl3.iso)= ${sha256}`,
    `\\SHA256 (a\\\\b.iso) = ${sha256}`,
    "# BLAKE2B HASH",
    `${sha512}  gentoo.iso`,
  ].join("\n");
  assert.deepEqual(
    parseSumList(text).map(({ name, algorithm }) => [name, algorithm]),
    [
      ["plain.iso", "sha256"],
      ["binary.iso", "sha256"],
      ["tab.iso", "md5"],
      ["a\\b\nc.iso", "sha256"],
      ["bsd one.iso", "sha512"],
      ["openssl.iso", "md5"],
      ["openssl3.iso", "sha256"],
      ["a\\b.iso", "sha256"],
      ["gentoo.iso", "blake2b512"],
    ],
  );
  assert.deepEqual(parseSumList(`${sha256.toUpperCase()}\n`), [{ algorithm: "sha256", hex: sha256 }]);
  assert.deepEqual(parseSumList(sha512, "blake2b512"), [{ algorithm: "blake2b512", hex: sha512.toLowerCase() }]);
});

test("what is no sum is passed over", () => {
  const lines = [
    `${sha256.slice(1)}  too-short.iso`,
    `${sha256.replace("a", "g")}  wrong-digit.iso`,
    sha256,
    sha256,
    `SHA256 (short.iso) = ${md5}`,
    `CRC32 (unknown.iso) = ${md5}`,
    `${sha256}  ${"x".repeat(9000)}.iso`,
    "",
  ];
  assert.deepEqual(parseSumList(lines.join("\n")), []);
  const giant = `${"0".repeat(4 * 2 ** 20)}\n${sha256}  after.iso`;
  assert.deepEqual(
    parseSumList(giant).map(({ name }) => name),
    ["after.iso"],
  );
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      for (const { hex } of parseSumList(`${text}\n${sha256}  ${text}`)) assert.match(hex, /^[0-9a-f]{32,128}$/);
    }),
  );
});

test("files are lists of sums by their names", () => {
  const lists: Readonly<Record<string, string | undefined>> = {
    SHA256SUMS: "sha256",
    SHA512SUMS: "sha512",
    MD5SUMS: "md5",
    SHA1SUMS: "sha1",
    "sha256sum.txt": "sha256",
    "sha256sums.txt": "sha256",
    "sha256sum.txt.asc": "sha256",
    "b2sums.txt": "blake2b512",
    "debian.iso.sha256": "sha256",
    "debian.iso.sha512sum": "sha512",
    "debian.iso.md5.txt": "md5",
    "debian.sha256": "sha256",
    "debian.iso.sha256.asc": "sha256",
    "Fedora-Server-40-1.14-x86_64-CHECKSUM": undefined,
    "CHECKSUM.SHA512-FreeBSD-14.0-RELEASE-amd64": undefined,
    "install.iso.DIGESTS": undefined,
  };
  for (const [name, algorithm] of Object.entries(lists)) {
    assert.deepEqual(asSumFile(name), algorithm === undefined ? { name } : { name, algorithm }, name);
  }
  for (const name of ["debian.iso", "checksum.iso", "debian.iso.sig", "notes.txt", "sum.txt"]) {
    assert.equal(asSumFile(name), undefined, name);
  }
  assert.ok(isListOf("debian.iso", "debian.iso.sha256") && isListOf("debian.iso", "debian.sha256sum.txt"));
  assert.ok(!isListOf("debian.iso", "debian-12.iso.sha256") && !isListOf("debian.iso", "SHA256SUMS"));
});
