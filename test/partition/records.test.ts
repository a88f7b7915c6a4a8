import assert from "node:assert/strict";
import { test } from "node:test";
import type { Struct } from "../../src/bytes/index.ts";
import { gptEntry, gptHeader } from "../../src/partition/gpt-records.ts";
import { masterBootRecord, mbrEntry } from "../../src/partition/mbr-records.ts";

// oxlint-disable-next-line typescript/no-explicit-any
function offsetsOf(struct: Struct<any>): Record<string, readonly [number, number]> {
  const fields = struct.fields as Record<string, readonly [number, { readonly sizeBytes: number }]>;
  return Object.fromEntries(Object.entries(fields).map(([name, [offset, type]]) => [name, [offset, type.sizeBytes]]));
}

test("the master boot record has its fields where UEFI 2.10 table 5.1 has them", () => {
  assert.equal(masterBootRecord.sizeBytes, 512);
  assert.deepEqual(offsetsOf(masterBootRecord), {
    diskSignature: [440, 4],
    entries: [446, 64],
    bootSignature: [510, 2],
  });
});

test("an MBR entry has its fields where UEFI 2.10 table 5.2 has them", () => {
  assert.equal(mbrEntry.sizeBytes, 16);
  assert.deepEqual(offsetsOf(mbrEntry), {
    status: [0, 1],
    start: [1, 3],
    type: [4, 1],
    end: [5, 3],
    startLba: [8, 4],
    sectorCount: [12, 4],
  });
});

test("the GPT header has its fields where UEFI 2.10 table 5.5 has them", () => {
  assert.equal(gptHeader.sizeBytes, 92);
  assert.deepEqual(offsetsOf(gptHeader), {
    signature: [0, 8],
    revision: [8, 4],
    headerSizeBytes: [12, 4],
    headerCrc: [16, 4],
    currentLba: [24, 8],
    alternateLba: [32, 8],
    firstUsableLba: [40, 8],
    lastUsableLba: [48, 8],
    diskGuid: [56, 16],
    entriesLba: [72, 8],
    entryCount: [80, 4],
    entrySizeBytes: [84, 4],
    entriesCrc: [88, 4],
  });
});

test("a GPT entry has its fields where UEFI 2.10 table 5.6 has them", () => {
  assert.equal(gptEntry.sizeBytes, 128);
  assert.deepEqual(offsetsOf(gptEntry), {
    typeGuid: [0, 16],
    guid: [16, 16],
    firstLba: [32, 8],
    lastLba: [40, 8],
    attributes: [48, 8],
    label: [56, 72],
  });
});
