import assert from "node:assert/strict";
import { test } from "node:test";
import * as core from "../../src/boot/grub/core-records.ts";
import * as elf from "../../src/bytes/elf/index.ts";
import * as kernel from "../../src/boot/kernel-records.ts";
import * as pe from "../../src/boot/pe-records.ts";
import { Struct } from "../../src/bytes/index.ts";

/** Every record with its size and the offsets of its fields, in their order. */
const pinned: Readonly<Record<string, string>> = {
  moduleInfo32: "12: magic 0, offset 4, sizeBytes 8",
  moduleInfo64: "24: magic 0, offset 8, sizeBytes 16",
  moduleHeader: "8: type 0, sizeBytes 4",
  decompressor: "28: compressedBytes 8, uncompressedBytes 12, redundancyBytes 16, noRedundancyBytes 20",
  blockListEntry: "12: startLba 0, sectorCount 8, segment 10",
  bootImage: "512: kernelLba 92, bootDrive 100, driveCheck 102",
  elfIdentity: "16: magic 0, class 4, encoding 5",
  elf32Header: "52: machine 18, sectionsOffset 32, sectionEntryBytes 46, sectionCount 48",
  elf64Header: "64: machine 18, sectionsOffset 40, sectionEntryBytes 58, sectionCount 60, namesIndex 62",
  elf32Section: "40: type 4, flags 8, address 12, offset 16, sizeBytes 20, link 24, info 28, alignment 32",
  elf64Section: "64: name 0, type 4, flags 8, address 16, offset 24, sizeBytes 32, link 40, info 44, alignment 48",
  elf32Symbol: "16: name 0, value 4, section 14",
  elf64Symbol: "24: name 0, section 6, value 8",
  elf32Relocation: "8: offset 0, type 4, symbolLow 5, symbolHigh 6",
  elf64Relocation: "24: offset 0, type 8, symbol 12, addendLow 16, addendHigh 20",
  dosHeader: "64: magic 0, peOffset 60",
  coffHeader: "20: machine 0, sectionCount 2, time 4, optionalHeaderBytes 16, characteristics 18",
  optionalHeader32:
    "224: magic 0, codeBytes 4, dataBytes 8, entryAddress 16, codeBase 20, dataBase 24, sectionAlignment 32, " +
    "fileAlignment 36, imageBytes 56, headerBytes 60, subsystem 68, stackAndHeap 72, directoryCount 92, " +
    "certificatesOffset 128, certificatesBytes 132, relocationsAddress 136, relocationsBytes 140",
  optionalHeader64:
    "240: magic 0, codeBytes 4, dataBytes 8, entryAddress 16, codeBase 20, sectionAlignment 32, fileAlignment 36, " +
    "imageBytes 56, headerBytes 60, subsystem 68, stackAndHeap 72, directoryCount 108, " +
    "certificatesOffset 144, certificatesBytes 148, relocationsAddress 152, " +
    "relocationsBytes 156",
  peSection: "40: name 0, virtualBytes 8, virtualAddress 12, rawBytes 16, rawOffset 20, characteristics 36",
  x86SetupHeader: "616: magic 514, version 518, releaseAt 526, loadFlags 566",
  imageHeader: "64: magic 56",
  certificateEntry: "8: entryBytes 0, revision 4, type 6",
  relocationBlock: "8: pageAddress 0, blockBytes 4",
};

test("records lie where GRUB, ELF and PE have them", () => {
  const found = Object.fromEntries(
    Object.entries({ ...core, ...elf, ...pe, ...kernel }).flatMap(([name, record]) => {
      if (!(record instanceof Struct)) return [];
      const offsets = Object.entries(record.fields).map(([field, [offset]]) => `${field} ${offset}`);
      return [[name, `${record.sizeBytes}: ${offsets.join(", ")}`]];
    }),
  );
  assert.deepEqual(found, pinned);
});
