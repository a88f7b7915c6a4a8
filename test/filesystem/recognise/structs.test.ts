import assert from "node:assert/strict";
import { test } from "node:test";
import { Struct } from "../../../src/bytes/index.ts";
import * as f2fs from "../../../src/filesystem/recognise/f2fs.ts";
import * as luks1 from "../../../src/filesystem/recognise/luks1.ts";
import * as luks2 from "../../../src/filesystem/recognise/luks2.ts";
import * as lvm2 from "../../../src/filesystem/recognise/lvm2-records.ts";
import * as ntfs from "../../../src/filesystem/recognise/ntfs-records.ts";
import * as squashfs from "../../../src/filesystem/recognise/squashfs.ts";
import * as swap from "../../../src/filesystem/recognise/swap.ts";
import * as xfs from "../../../src/filesystem/recognise/xfs.ts";

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
  ntfsAttribute: {
    sizeBytes: 16,
    fields: {
      type: [0, 4],
      lengthBytes: [4, 4],
      isOutside: [8, 1],
      nameUnits: [9, 1],
      nameOffset: [10, 2],
      flags: [12, 2],
    },
  },
  ntfsBootSector: {
    sizeBytes: 512,
    fields: {
      jump: [0, 3],
      signature: [3, 8],
      sectorBytes: [11, 2],
      sectorsPerCluster: [13, 1],
      media: [21, 1],
      sectorCount: [40, 8],
      mftCluster: [48, 8],
      mirrorCluster: [56, 8],
      clustersPerRecord: [64, 1],
      clustersPerIndexBlock: [68, 1],
      serial: [72, 8],
      endMark: [510, 2],
    },
  },
  ntfsFileName: { sizeBytes: 66, fields: { nameUnits: [64, 1] } },
  ntfsIndexBlock: {
    sizeBytes: 40,
    fields: {
      signature: [0, 4],
      fixupOffset: [4, 2],
      fixupCount: [6, 2],
      entriesOffset: [24, 4],
      entriesBytes: [28, 4],
    },
  },
  ntfsIndexEntry: {
    sizeBytes: 16,
    fields: {
      recordLow: [0, 4],
      recordHigh: [4, 2],
      sequence: [6, 2],
      lengthBytes: [8, 2],
      keyBytes: [10, 2],
      flags: [12, 2],
    },
  },
  ntfsIndexRoot: { sizeBytes: 32, fields: { blockBytes: [8, 4], entriesOffset: [16, 4], entriesBytes: [20, 4] } },
  ntfsListEntry: {
    sizeBytes: 26,
    fields: {
      type: [0, 4],
      lengthBytes: [4, 2],
      nameUnits: [6, 1],
      firstCluster: [8, 8],
      recordLow: [16, 4],
      recordHigh: [20, 2],
    },
  },
  ntfsNonResident: {
    sizeBytes: 64,
    fields: {
      firstCluster: [16, 8],
      lastCluster: [24, 8],
      runsOffset: [32, 2],
      allocatedBytes: [40, 8],
      dataBytes: [48, 8],
    },
  },
  ntfsRecord: {
    sizeBytes: 48,
    fields: {
      signature: [0, 4],
      fixupOffset: [4, 2],
      fixupCount: [6, 2],
      sequence: [16, 2],
      attributesOffset: [20, 2],
      flags: [22, 2],
      usedBytes: [24, 4],
      baseRecord: [32, 8],
    },
  },
  ntfsResident: { sizeBytes: 24, fields: { valueBytes: [16, 4], valueOffset: [20, 2] } },
  ntfsVolumeInformation: { sizeBytes: 12, fields: { major: [8, 1], minor: [9, 1], flags: [10, 2] } },
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
  xfsFreeSpaceHeader: {
    sizeBytes: 224,
    fields: {
      magic: [0, 4],
      version: [4, 4],
      number: [8, 4],
      blockCount: [12, 4],
      listCount: [48, 4],
      freeBlocks: [52, 4],
      treeBlocks: [60, 4],
      checksum: [216, 4],
    },
  },
  xfsSuperblock: {
    sizeBytes: 264,
    fields: {
      magic: [0, 4],
      blockSizeBytes: [4, 4],
      dataBlocks: [8, 8],
      realtimeBlocks: [16, 8],
      uuid: [32, 16],
      logStart: [48, 8],
      groupBlocks: [84, 4],
      groupCount: [88, 4],
      logBlocks: [96, 4],
      version: [100, 2],
      sectorBytes: [102, 2],
      inodeBytes: [104, 2],
      label: [108, 12],
      inProgress: [126, 1],
      freeBlocks: [144, 8],
      features2: [200, 4],
      readOnlyCompatible: [212, 4],
      incompatible: [216, 4],
      checksum: [224, 4],
    },
  },
};

const modules = [f2fs, luks1, luks2, lvm2, ntfs, squashfs, swap, xfs];

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
