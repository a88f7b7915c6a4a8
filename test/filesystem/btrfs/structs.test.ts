import assert from "node:assert/strict";
import { test } from "node:test";
import { Struct } from "../../../src/bytes/index.ts";
import * as records from "../../../src/filesystem/btrfs/records.ts";
import * as superblock from "../../../src/filesystem/btrfs/superblock.ts";

type Pins = Readonly<Record<string, readonly [offset: number, sizeBytes: number]>>;

/** Where every field stands. */
const pinned: Readonly<Record<string, { readonly sizeBytes: number; readonly fields: Pins }>> = {
  btrfsSuperblock: {
    sizeBytes: 4096,
    fields: {
      checksum: [0, 32],
      uuid: [32, 16],
      at: [48, 8],
      flags: [56, 8],
      magic: [64, 8],
      generation: [72, 8],
      rootTree: [80, 8],
      chunkTree: [88, 8],
      logRoot: [96, 8],
      totalBytes: [112, 8],
      usedBytes: [120, 8],
      deviceCount: [136, 8],
      sectorBytes: [144, 4],
      nodeBytes: [148, 4],
      systemChunkBytes: [160, 4],
      chunkTreeGeneration: [164, 8],
      readOnlyCompatible: [180, 8],
      incompatible: [188, 8],
      checksumType: [196, 2],
      rootTreeLevel: [198, 1],
      chunkTreeLevel: [199, 1],
      logRootLevel: [200, 1],
      deviceId: [201, 8],
      deviceBytes: [209, 8],
      deviceUsedBytes: [217, 8],
      deviceUuid: [267, 16],
      label: [299, 256],
      metadataUuid: [571, 16],
      systemChunks: [811, 2048],
    },
  },
  blockGroup: { sizeBytes: 24, fields: { usedBytes: [0, 8], chunkId: [8, 8], flags: [16, 8] } },
  childPointer: { sizeBytes: 33, fields: { key: [0, 17], logical: [17, 8], generation: [25, 8] } },
  chunkItem: {
    sizeBytes: 48,
    fields: {
      lengthBytes: [0, 8],
      owner: [8, 8],
      stripeBytes: [16, 8],
      flags: [24, 8],
      stripeCount: [44, 2],
      subStripes: [46, 2],
    },
  },
  chunkStripe: { sizeBytes: 32, fields: { deviceId: [0, 8], startBytes: [8, 8], deviceUuid: [16, 16] } },
  deviceExtent: {
    sizeBytes: 48,
    fields: { chunkTree: [0, 8], chunkId: [8, 8], chunkLogical: [16, 8], lengthBytes: [24, 8] },
  },
  deviceItem: { sizeBytes: 98, fields: { deviceId: [0, 8], totalBytes: [8, 8], usedBytes: [16, 8], uuid: [66, 16] } },
  directoryItem: {
    sizeBytes: 30,
    fields: { target: [0, 17], generation: [17, 8], dataBytes: [25, 2], nameBytes: [27, 2], type: [29, 1] },
  },
  extentDataRef: { sizeBytes: 28, fields: { root: [0, 8], inode: [8, 8], offset: [16, 8], count: [24, 4] } },
  extentItem: { sizeBytes: 24, fields: { references: [0, 8], generation: [8, 8], flags: [16, 8] } },
  fileExtent: {
    sizeBytes: 21,
    fields: {
      generation: [0, 8],
      memoryBytes: [8, 8],
      compression: [16, 1],
      encryption: [17, 1],
      encoding: [18, 2],
      type: [20, 1],
    },
  },
  fileExtentPlace: {
    sizeBytes: 53,
    fields: { logical: [21, 8], storedBytes: [29, 8], offsetBytes: [37, 8], lengthBytes: [45, 8] },
  },
  freeSpaceInfo: { sizeBytes: 8, fields: { runCount: [0, 4], flags: [4, 4] } },
  inodeExtref: { sizeBytes: 18, fields: { directory: [0, 8], index: [8, 8], nameBytes: [16, 2] } },
  inodeItem: {
    sizeBytes: 160,
    fields: {
      generation: [0, 8],
      sizeBytes: [16, 8],
      allocatedBytes: [24, 8],
      links: [40, 4],
      uid: [44, 4],
      gid: [48, 4],
      mode: [52, 4],
      device: [56, 8],
      flags: [64, 8],
      accessedSeconds: [112, 8],
      accessedNanoseconds: [120, 4],
      changedSeconds: [124, 8],
      changedNanoseconds: [132, 4],
      modifiedSeconds: [136, 8],
      modifiedNanoseconds: [144, 4],
      createdSeconds: [148, 8],
      createdNanoseconds: [156, 4],
    },
  },
  inodeReference: { sizeBytes: 10, fields: { index: [0, 8], nameBytes: [8, 2] } },
  leafItem: { sizeBytes: 25, fields: { key: [0, 17], dataAt: [17, 4], dataBytes: [21, 4] } },
  nodeHeader: {
    sizeBytes: 101,
    fields: {
      checksum: [0, 32],
      uuid: [32, 16],
      logical: [48, 8],
      flags: [56, 8],
      chunkTreeUuid: [64, 16],
      generation: [80, 8],
      owner: [88, 8],
      itemCount: [96, 4],
      level: [100, 1],
    },
  },
  rootItem: {
    sizeBytes: 239,
    fields: {
      generation: [160, 8],
      rootDirectory: [168, 8],
      logical: [176, 8],
      usedBytes: [192, 8],
      flags: [208, 8],
      references: [216, 4],
      dropKey: [220, 17],
      dropLevel: [237, 1],
      level: [238, 1],
    },
  },
  rootReference: { sizeBytes: 18, fields: { directory: [0, 8], sequence: [8, 8], nameBytes: [16, 2] } },
  treeBlockInfo: { sizeBytes: 18, fields: { key: [0, 17], level: [17, 1] } },
};

test("every field of every btrfs structure stands where the format has it", () => {
  const found: Record<string, { readonly sizeBytes: number; readonly fields: Pins }> = {};
  for (const [name, value] of Object.entries<unknown>({ ...superblock, ...records })) {
    if (!(value instanceof Struct)) continue;
    const fields = Object.entries<readonly [number, { readonly sizeBytes: number }]>(value.fields);
    const pins = fields.map(([field, [offset, type]]) => [field, [offset, type.sizeBytes] as const]);
    found[name] = { sizeBytes: value.sizeBytes, fields: Object.fromEntries(pins) };
  }
  assert.deepEqual(found, pinned);
});
