/** Firmware is found as QEMU's own description files say (docs/interop/firmware.json of QEMU). */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { findUefi } from "../../../src/disk/machine/firmware.ts";
import { temporaryFolder, type TemporaryFolder } from "../../temp.ts";

function describe(folder: TemporaryFolder, name: string, change: Readonly<Record<string, unknown>> = {}): void {
  for (const file of ["code.fd", "vars.fd"]) fs.writeFileSync(folder.join(file), "firmware");
  fs.mkdirSync(folder.join("qemu/firmware"), { recursive: true });
  const description = {
    "interface-types": ["uefi"],
    mapping: {
      device: "flash",
      executable: { filename: folder.join("code.fd"), format: "raw" },
      "nvram-template": { filename: folder.join("vars.fd"), format: "raw" },
    },
    targets: [{ architecture: "x86_64", machines: ["pc-q35-*"] }],
    features: [],
    ...change,
  };
  fs.writeFileSync(folder.join("qemu/firmware", name), JSON.stringify(description));
}

const ask = (folder: TemporaryFolder, secureBoot = false) =>
  findUefi({ architecture: "x86_64", secureBoot, env: { XDG_CONFIG_HOME: folder.path } });

test("the user's own firmware comes first, with what it needs", async () => {
  await using folder = temporaryFolder();
  describe(folder, "00-own.json", { features: ["requires-smm", "acpi-s3"] });
  assert.deepEqual(ask(folder), {
    codePath: folder.join("code.fd"),
    variablesPath: folder.join("vars.fd"),
    needsSmm: true,
  });
});

test("Secure Boot takes firmware with keys, and nothing else takes that", async () => {
  await using folder = temporaryFolder();
  describe(folder, "00-secure.json", { features: ["secure-boot", "enrolled-keys", "requires-smm"] });
  assert.equal(ask(folder, true).codePath, folder.join("code.fd"));
  assert.throws(() => {
    if (ask(folder).codePath === folder.join("code.fd")) assert.fail("keys were not wanted");
    throw new Error("another one, if there is any");
  }, /another one|no UEFI firmware/);
});

test("what does not fit, is not there or cannot be read is passed over", async () => {
  await using folder = temporaryFolder();
  describe(folder, "00-arm.json", { targets: [{ architecture: "aarch64" }] });
  describe(folder, "01-bios.json", { "interface-types": ["bios"] });
  describe(folder, "02-memory.json", { mapping: { device: "memory", filename: folder.join("code.fd") } });
  describe(folder, "03-gone.json", {
    mapping: { device: "flash", executable: { filename: folder.join("none.fd"), format: "raw" } },
  });
  fs.writeFileSync(folder.join("qemu/firmware/04-broken.json"), "{");
  fs.writeFileSync(folder.join("qemu/firmware/05-null.json"), "null");
  describe(folder, "06-own.json");
  assert.equal(ask(folder).codePath, folder.join("code.fd"));
});

test("a user hides the system's by empty files; where none is left, the message says what to install", async () => {
  await using folder = temporaryFolder();
  fs.mkdirSync(folder.join("qemu/firmware"), { recursive: true });
  for (const system of ["/etc/qemu/firmware", "/usr/share/qemu/firmware"]) {
    const names = fs.existsSync(system) ? fs.readdirSync(system) : [];
    for (const name of names) fs.writeFileSync(folder.join("qemu/firmware", name), "");
  }
  assert.throws(() => findUefi({ architecture: "aarch64", secureBoot: true, env: { XDG_CONFIG_HOME: folder.path } }), {
    code: "not-found",
    message: /no UEFI firmware with Secure Boot for aarch64/,
    hint: /qemu-efi-aarch64/,
  });
});
