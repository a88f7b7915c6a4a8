import assert from "node:assert/strict";
import { test } from "node:test";
import { commonVerdict, secureBootVerdict, type Signed } from "../../src/key/secure-boot.ts";

const trusted = ["Debian Secure Boot CA"];
const linux: Signed = { firmwares: ["bios", "uefi"], kind: "linux" };
const [debian, canonical] = [trusted, ["Canonical Ltd. Master Certificate Authority"]];

test("what starts where Secure Boot is on is what shim or firmware trusts", () => {
  const cases: readonly (readonly [Signed, string | undefined])[] = [
    [{ ...linux, signers: debian }, "starts"],
    [{ ...linux, signers: canonical }, "needs-key"],
    [{ ...linux, signers: [...canonical, ...debian] }, "starts"],
    [{ ...linux, kind: "efi", signers: ["Microsoft UEFI CA 2023"] }, "starts"],
    [{ ...linux, signers: [] }, "refused"],
    [linux, "unknown"],
    [{ ...linux, kind: "configfile", signers: debian }, "starts"],
    [{ ...linux, kind: "bsd" }, "refused"],
    [{ ...linux, kind: "multiboot2", signers: debian }, "refused"],
    [{ firmwares: ["bios"], kind: "linux", signers: [] }, undefined],
    [{ ...linux, kind: "memdisk" }, undefined],
  ];
  for (const [entry, verdict] of cases) assert.equal(secureBootVerdict(entry, trusted), verdict);
});

test("of entries that differ it says so; those for BIOS alone do not count", () => {
  const bios: Signed = { firmwares: ["bios"], kind: "memdisk" };
  const [signed, unsigned] = [debian, []].map((signers): Signed => ({ ...linux, signers }));
  assert.equal(commonVerdict([signed!, bios], trusted), "starts");
  assert.equal(commonVerdict([signed!, unsigned!], trusted), "partly");
  assert.equal(commonVerdict([bios], trusted), undefined);
  assert.equal(commonVerdict([], trusted), undefined);
});
