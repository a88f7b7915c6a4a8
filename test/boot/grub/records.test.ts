import assert from "node:assert/strict";
import { test } from "node:test";
import {
  blockListEntry,
  bootImage,
  decompressor,
  moduleHeader,
  moduleInfo,
} from "../../../src/boot/grub/core-records.ts";
import { elf32Header, elf32Section } from "../../../src/boot/grub/elf-records.ts";

function offsetsOf({ fields }: { readonly fields: Readonly<Record<string, readonly [number, unknown]>> }): object {
  return Object.fromEntries(Object.entries(fields).map(([name, [offset]]) => [name, offset]));
}

test("records lie where GRUB and ELF have them", () => {
  assert.deepEqual(offsetsOf(moduleInfo), { magic: 0, offset: 4, sizeBytes: 8 });
  assert.deepEqual(offsetsOf(moduleHeader), { type: 0, sizeBytes: 4 });
  assert.deepEqual(offsetsOf(blockListEntry), { startLba: 0, sectorCount: 8, segment: 10 });
  assert.deepEqual(offsetsOf(bootImage), { kernelLba: 0x5c, bootDrive: 0x64, driveCheck: 0x66 });
  assert.deepEqual(offsetsOf(decompressor), {
    compressedBytes: 8,
    uncompressedBytes: 12,
    redundancyBytes: 16,
    noRedundancyBytes: 20,
  });
  assert.deepEqual(offsetsOf(elf32Header), {
    magic: 0,
    class: 4,
    encoding: 5,
    machine: 0x12,
    sectionsOffset: 0x20,
    sectionEntryBytes: 0x2e,
    sectionCount: 0x30,
  });
  assert.deepEqual(offsetsOf(elf32Section), {
    type: 4,
    flags: 8,
    address: 12,
    offset: 16,
    sizeBytes: 20,
    alignment: 32,
  });
});
