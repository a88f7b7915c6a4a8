import assert from "node:assert/strict";
import { test } from "node:test";
import { gptTypeGuid, mbrTypeCode, partitionTypeName, partitionTypeNames } from "../../src/partition/index.ts";

test("types are understood as names and as codes", () => {
  assert.equal(mbrTypeCode("linux"), 0x83);
  assert.equal(mbrTypeCode("0x83"), 0x83);
  assert.equal(mbrTypeCode("83"), 0x83);
  assert.equal(mbrTypeCode("c"), 0x0c);
  assert.equal(mbrTypeCode("EFI"), 0xef);
  assert.equal(gptTypeGuid("linux"), "0FC63DAF-8483-4772-8E79-3D69D8477DE4");
  assert.equal(gptTypeGuid("83"), gptTypeGuid("linux"));
  assert.equal(gptTypeGuid("0fc63daf-8483-4772-8e79-3d69d8477de4"), gptTypeGuid("linux"));
  assert.equal(gptTypeGuid("fat32"), gptTypeGuid("microsoft-data"));
});

test("codes get their names back, unknown ones their spelling", () => {
  assert.equal(partitionTypeName(0x82), "linux-swap");
  assert.equal(partitionTypeName(0x07), "ntfs");
  assert.equal(partitionTypeName(0x42), "0x42");
  assert.equal(partitionTypeName("EBD0A0A2-B9E5-4433-87C0-68B6B72699C7"), "microsoft-data");
  assert.equal(partitionTypeName("00112233-4455-6677-8899-AABBCCDDEEFF"), "00112233-4455-6677-8899-AABBCCDDEEFF");
});

test("every name leads to a code whose name leads to the same code", () => {
  for (const name of partitionTypeNames("mbr")) {
    assert.equal(mbrTypeCode(partitionTypeName(mbrTypeCode(name))), mbrTypeCode(name));
  }
  for (const name of partitionTypeNames("gpt")) {
    assert.equal(gptTypeGuid(partitionTypeName(gptTypeGuid(name))), gptTypeGuid(name));
  }
});

test("a word that is no type is refused with the words that are", () => {
  assert.throws(() => mbrTypeCode("lunix"), { code: "usage", message: /"lunix".*no such name/, hint: /linux-swap/ });
  assert.throws(() => mbrTypeCode("bios-boot"), { code: "usage", message: /only gpt tables have it/ });
  assert.throws(() => gptTypeGuid("extended"), { code: "usage", message: /only mbr tables have it/ });
  assert.throws(() => gptTypeGuid("0x05"), { code: "usage" });
  assert.throws(() => mbrTypeCode("0x183"), { code: "usage" });
});
