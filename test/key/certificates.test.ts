import assert from "node:assert/strict";
import { test } from "node:test";
import { certificatesNeeded } from "../../src/key/certificates.ts";
import type { BootEntry } from "../../src/key/recognise/index.ts";

const how = { kind: "linux", kernel: "/vmlinuz", initrds: [], words: [] } as const;
const entry: BootEntry = { title: "x", how, firmwares: ["uefi"], architecture: "x86_64" };

test("certificates are needed of whom the key does not trust, each once, under names that firmware shows", () => {
  const signers = [
    ["Trusted CA"],
    ["Größer & Co., Inc."],
    ["Größer & Co., Inc."],
    ["../../"],
    [],
    ["Microsoft UEFI CA 2023"],
  ];
  const entries = signers.map((one): BootEntry => ({ ...entry, signers: one }));
  const certificates = new Map([
    ["Größer & Co., Inc.", Buffer.from("one")],
    ["Trusted CA", Buffer.from("two")],
  ]);
  const needed = certificatesNeeded({ entries: [...entries, entry], certificates }, ["Trusted CA"]);
  const path = "/certificates/Gr-er-Co-Inc-7692c3ad.cer";
  assert.deepEqual(needed, [
    { issuer: "Größer & Co., Inc.", file: { path, bytes: Buffer.from("one") } },
    { issuer: "../../" },
  ]);
  const odd = certificatesNeeded({ entries, certificates: new Map([["../../", Buffer.from("one")]]) }, ["Trusted CA"]);
  assert.equal(odd[1]?.file?.path, "/certificates/7692c3ad.cer");
});
