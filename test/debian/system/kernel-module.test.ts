import assert from "node:assert/strict";
import { test } from "node:test";
import { elf64Header, elf64Section, elfIdentity, elfMagic } from "../../../src/bytes/elf/index.ts";
import { readModuleFacts } from "../../../src/debian/system/kernel-module.ts";

/** A module with a `.modinfo` of these texts, and nothing else. */
function moduleWith(...texts: readonly string[]): Buffer {
  const info = Buffer.from(texts.map((text) => `${text}\0`).join(""));
  const names = Buffer.from("\0.modinfo\0");
  const bytes = Buffer.alloc(64 + info.length + names.length + 2 * 64);
  const namesAt = 64 + info.length;
  const sectionsAt = namesAt + names.length;
  info.copy(bytes, 64);
  names.copy(bytes, namesAt);
  const header = {
    sectionsOffset: sectionsAt,
    sectionEntryBytes: 64,
    sectionCount: 2,
    namesIndex: 1,
  };
  elfIdentity.patch(bytes, { magic: elfMagic });
  elf64Header.patch(bytes, header);
  elf64Section.patch(bytes, { name: 1, offset: 64, sizeBytes: info.length }, sectionsAt);
  elf64Section.patch(bytes, { name: 0, offset: namesAt, sizeBytes: names.length }, sectionsAt + 64);
  return bytes;
}

test("what a module says of itself is read", () => {
  const facts = readModuleFacts(moduleWith("depends=a,b", "alias=pci:v1", "alias=pci:v2", "softdep=pre: c"), "x.ko");
  assert.deepEqual(facts, {
    depends: ["a", "b"],
    aliases: ["pci:v1", "pci:v2"],
    softDependencies: ["pre: c"],
    symbols: [],
  });
});

test("a damaged module ends in a failure, wherever the damage is", () => {
  const whole = moduleWith("depends=a");
  for (let length = 0; length < whole.length; length++) {
    assert.throws(() => readModuleFacts(whole.subarray(0, length), "x.ko"), /cannot read the kernel module "x.ko"/);
  }
  for (let at = 0; at < whole.length; at++) {
    const bent = Buffer.from(whole);
    bent[at] = 0xff;
    try {
      readModuleFacts(bent, "x.ko");
    } catch (error) {
      assert.match(String(error), /cannot read the kernel module/);
    }
  }
});
