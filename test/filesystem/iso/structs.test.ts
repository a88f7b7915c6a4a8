import assert from "node:assert/strict";
import { test } from "node:test";
import { Struct } from "../../../src/bytes/index.ts";
import { disagreeing } from "../../../src/filesystem/iso/both-endian.ts";
import * as pathTables from "../../../src/filesystem/iso/check-path-tables.ts";
import * as records from "../../../src/filesystem/iso/directory-record.ts";
import * as rockRidge from "../../../src/filesystem/iso/rock-ridge.ts";
import * as sparse from "../../../src/filesystem/iso/sparse.ts";
import * as systemUse from "../../../src/filesystem/iso/system-use.ts";
import * as volumeDescriptors from "../../../src/filesystem/iso/volume-descriptor.ts";
import * as zisofs from "../../../src/filesystem/iso/zisofs.ts";

type Pins = Readonly<Record<string, readonly [offset: number, sizeBytes: number]>>;

/** Where every field stands. */
const pinned: Readonly<Record<string, { readonly sizeBytes: number; readonly fields: Pins }>> = {
  bootEntry: {
    sizeBytes: 32,
    fields: {
      indicator: [0, 1],
      mediaType: [1, 1],
      loadSegment: [2, 2],
      systemType: [4, 1],
      sectorCount: [6, 2],
      startSector: [8, 4],
    },
  },
  bootRecord: {
    sizeBytes: 2048,
    fields: { type: [0, 1], standardId: [1, 5], version: [6, 1], systemId: [7, 32], catalogueSector: [71, 4] },
  },
  sectionHeader: { sizeBytes: 32, fields: { indicator: [0, 1], platform: [1, 1], entryCount: [2, 2], id: [4, 28] } },
  validationEntry: {
    sizeBytes: 32,
    fields: { headerId: [0, 1], platform: [1, 1], manufacturer: [4, 24], checksum: [28, 2], key: [30, 2] },
  },
  volumeDescriptor: {
    sizeBytes: 2048,
    fields: {
      type: [0, 1],
      standardId: [1, 5],
      version: [6, 1],
      volumeFlags: [7, 1],
      systemId: [8, 32],
      volumeId: [40, 32],
      spaceBlocks: [80, 8],
      escapeSequences: [88, 32],
      setSize: [120, 4],
      sequenceNumber: [124, 4],
      blockSizeBytes: [128, 4],
      pathTableBytes: [132, 8],
      littlePathTable: [140, 4],
      bigPathTable: [148, 4],
      rootRecord: [156, 34],
      created: [813, 17],
      modified: [830, 17],
      fileStructureVersion: [881, 1],
    },
  },
  littlePathRecord: {
    sizeBytes: 8,
    fields: { nameBytes: [0, 1], attributeBlocks: [1, 1], block: [2, 4], parent: [6, 2] },
  },
  bigPathRecord: {
    sizeBytes: 8,
    fields: { nameBytes: [0, 1], attributeBlocks: [1, 1], block: [2, 4], parent: [6, 2] },
  },
  directoryRecord: {
    sizeBytes: 33,
    fields: {
      lengthBytes: [0, 1],
      attributeBlocks: [1, 1],
      extentBlock: [2, 8],
      dataBytes: [10, 8],
      recorded: [18, 7],
      flags: [25, 1],
      unitBlocks: [26, 1],
      gapBlocks: [27, 1],
      volumeNumber: [28, 4],
      nameBytes: [32, 1],
    },
  },
  continuationArea: { sizeBytes: 28, fields: { block: [4, 8], offsetBytes: [12, 8], lengthBytes: [20, 8] } },
  deviceNumber: { sizeBytes: 20, fields: { high: [4, 8], low: [12, 8] } },
  directoryLink: { sizeBytes: 12, fields: { block: [4, 8] } },
  posixAttributes: { sizeBytes: 36, fields: { mode: [4, 8], links: [12, 8], uid: [20, 8], gid: [28, 8] } },
  serialNumber: { sizeBytes: 44, fields: { serial: [36, 8] } },
  shortSparseEntry: { sizeBytes: 12, fields: { sizeBytes: [4, 8] } },
  sparseEntry: { sizeBytes: 21, fields: { sizeHigh: [4, 8], sizeLow: [12, 8], tableDepth: [20, 1] } },
  sparseTableEntry: { sizeBytes: 8, fields: { value: [0, 8] } },
  zisofsEntry: {
    sizeBytes: 16,
    fields: { algorithm: [4, 2], headerWords: [6, 1], blockSizeLog2: [7, 1], sizeBytes: [8, 8] },
  },
  zisofs2Header: {
    sizeBytes: 24,
    fields: {
      magic: [0, 8],
      version: [8, 1],
      headerWords: [9, 1],
      algorithm: [10, 1],
      blockSizeLog2: [11, 1],
      sizeBytes: [12, 8],
    },
  },
  zisofsHeader: {
    sizeBytes: 16,
    fields: { magic: [0, 8], sizeBytes: [8, 4], headerWords: [12, 1], blockSizeLog2: [13, 1] },
  },
};

const modules = [pathTables, volumeDescriptors, records, systemUse, rockRidge, sparse, zisofs];

test("every field of every structure stands where the format has it", () => {
  const found: Record<string, { readonly sizeBytes: number; readonly fields: Pins }> = {};
  for (const [name, value] of modules.flatMap((module) => Object.entries<unknown>(module))) {
    if (!(value instanceof Struct)) continue;
    const fields = Object.entries<readonly [number, { readonly sizeBytes: number }]>(value.fields);
    found[name] = {
      sizeBytes: value.sizeBytes,
      fields: Object.fromEntries(fields.map(([field, [offset, type]]) => [field, [offset, type.sizeBytes] as const])),
    };
  }
  assert.deepEqual(found, pinned);
});

test("a number in both byte orders is told apart from two numbers", () => {
  const { directoryRecord } = records;
  const bytes = directoryRecord.encode({ extentBlock: 0x12345678, volumeNumber: 1 });
  assert.deepEqual(disagreeing(directoryRecord.fields, bytes), []);
  bytes[9] = 0;
  bytes[30] = 1;
  assert.deepEqual(disagreeing(directoryRecord.fields, bytes), ["extentBlock", "volumeNumber"]);
  assert.equal(directoryRecord.get(bytes, "extentBlock"), 0x12345678);
});
