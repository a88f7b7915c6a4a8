import assert from "node:assert/strict";
import { test } from "node:test";
import { moduleHeader, moduleSection, readModuleFacts } from "../../../src/debian/system/kernel-module.ts";

test("the fields of a module's headers are where the System V ABI has them", () => {
  const offsetsOf = (fields: Readonly<Record<string, readonly [number, ...unknown[]]>>): Record<string, number> => {
    return Object.fromEntries(Object.entries(fields).map(([name, [offset]]) => [name, offset]));
  };
  assert.deepEqual(offsetsOf(moduleHeader.fields), {
    magic: 0,
    sectionsOffset: 40,
    sectionEntryBytes: 58,
    sectionCount: 60,
    namesIndex: 62,
  });
  assert.deepEqual(offsetsOf(moduleSection.fields), { name: 0, offset: 24, sizeBytes: 32 });
});

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
    magic: 0x464c457f,
    sectionsOffset: sectionsAt,
    sectionEntryBytes: 64,
    sectionCount: 2,
    namesIndex: 1,
  };
  moduleHeader.patch(bytes, header);
  moduleSection.patch(bytes, { name: 1, offset: 64, sizeBytes: info.length }, sectionsAt);
  moduleSection.patch(bytes, { name: 0, offset: namesAt, sizeBytes: names.length }, sectionsAt + 64);
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
