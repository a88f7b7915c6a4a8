import assert from "node:assert/strict";
import { test } from "node:test";
import { Struct } from "../../../src/bytes/index.ts";
import * as f2fs from "../../../src/filesystem/recognise/f2fs.ts";
import * as luks1 from "../../../src/filesystem/recognise/luks1.ts";
import * as luks2 from "../../../src/filesystem/recognise/luks2.ts";
import * as lvm2 from "../../../src/filesystem/recognise/lvm2-records.ts";
import * as squashfs from "../../../src/filesystem/recognise/squashfs.ts";
import * as swap from "../../../src/filesystem/recognise/swap.ts";

type Pins = Readonly<Record<string, readonly [offset: number, sizeBytes: number]>>;

/** Where every field stands. */
const pinned: Readonly<Record<string, { readonly sizeBytes: number; readonly fields: Pins }>> = {
  f2fsCheckpoint: {
    sizeBytes: 192,
    fields: {
      version: [0, 8],
      userBlocks: [8, 8],
      validBlocks: [16, 8],
      flags: [132, 4],
      blockCount: [136, 4],
      checksumOffset: [164, 4],
    },
  },
  f2fsDevice: { sizeBytes: 68, fields: { firstOfPath: [0, 1], segmentCount: [64, 4] } },
  f2fsSuperblock: {
    sizeBytes: 3072,
    fields: {
      magic: [0, 4],
      major: [4, 2],
      minor: [6, 2],
      blockSizeLog2: [16, 4],
      segmentBlocksLog2: [20, 4],
      checksumOffset: [32, 4],
      blockCount: [36, 8],
      checkpointBlock: [76, 4],
      uuid: [108, 16],
      label: [124, 1024],
      features: [2180, 4],
      devices: [2201, 544],
    },
  },
  luks1Header: {
    sizeBytes: 592,
    fields: {
      magic: [0, 6],
      version: [6, 2],
      cipherName: [8, 32],
      cipherMode: [40, 32],
      hashSpec: [72, 32],
      payloadSector: [104, 4],
      keyBytes: [108, 4],
      digest: [112, 20],
      digestSalt: [132, 32],
      digestIterations: [164, 4],
      uuid: [168, 40],
      keySlots: [208, 384],
    },
  },
  luks1KeySlot: {
    sizeBytes: 48,
    fields: { state: [0, 4], iterations: [4, 4], salt: [8, 32], materialSector: [40, 4], stripes: [44, 4] },
  },
  luks2Header: {
    sizeBytes: 4096,
    fields: {
      magic: [0, 6],
      version: [6, 2],
      headerBytes: [8, 8],
      sequenceId: [16, 8],
      label: [24, 48],
      checksumAlgorithm: [72, 32],
      salt: [104, 64],
      uuid: [168, 40],
      subsystem: [208, 48],
      offsetBytes: [256, 8],
      checksum: [448, 64],
    },
  },
  lvmArea: { sizeBytes: 16, fields: { startBytes: [0, 8], lengthBytes: [8, 8] } },
  lvmLabel: {
    sizeBytes: 32,
    fields: { id: [0, 8], sector: [8, 8], checksum: [16, 4], headerOffset: [20, 4], type: [24, 8] },
  },
  lvmMetadataHeader: {
    sizeBytes: 512,
    fields: {
      checksum: [0, 4],
      magic: [4, 16],
      version: [20, 4],
      startBytes: [24, 8],
      sizeBytes: [32, 8],
      textOffset: [40, 8],
      textBytes: [48, 8],
      textChecksum: [56, 4],
      textFlags: [60, 4],
    },
  },
  lvmVolumeHeader: { sizeBytes: 40, fields: { id: [0, 32], deviceBytes: [32, 8] } },
  oldBigSquashfsSuperblock: {
    sizeBytes: 119,
    fields: {
      magic: [0, 4],
      usedBytesBefore3: [8, 4],
      major: [28, 2],
      minor: [30, 2],
      blockSizeLog2: [34, 2],
      flags: [36, 1],
      blockSizeBytes: [51, 4],
      usedBytes: [63, 8],
    },
  },
  oldSquashfsSuperblock: {
    sizeBytes: 119,
    fields: {
      magic: [0, 4],
      usedBytesBefore3: [8, 4],
      major: [28, 2],
      minor: [30, 2],
      blockSizeLog2: [34, 2],
      flags: [36, 1],
      blockSizeBytes: [51, 4],
      usedBytes: [63, 8],
    },
  },
  squashfsSuperblock: {
    sizeBytes: 96,
    fields: {
      magic: [0, 4],
      inodeCount: [4, 4],
      makeTime: [8, 4],
      blockSizeBytes: [12, 4],
      fragmentCount: [16, 4],
      compression: [20, 2],
      blockSizeLog2: [22, 2],
      flags: [24, 2],
      idCount: [26, 2],
      major: [28, 2],
      minor: [30, 2],
      rootInode: [32, 8],
      usedBytes: [40, 8],
      idTable: [48, 8],
      attributeTable: [56, 8],
      inodeTable: [64, 8],
      directoryTable: [72, 8],
      fragmentTable: [80, 8],
      exportTable: [88, 8],
    },
  },
  swapHeader: {
    sizeBytes: 44,
    fields: { version: [0, 4], lastPage: [4, 4], badPages: [8, 4], uuid: [12, 16], label: [28, 16] },
  },
  swapHeaderBigEndian: { sizeBytes: 44, fields: { version: [0, 4], lastPage: [4, 4], badPages: [8, 4] } },
};

const modules = [f2fs, luks1, luks2, lvm2, squashfs, swap];

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
