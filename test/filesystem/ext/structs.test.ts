import assert from "node:assert/strict";
import { test } from "node:test";
import * as directoryEntries from "../../../src/filesystem/ext/directory-entry.ts";
import * as attributes from "../../../src/filesystem/ext/extended-attribute.ts";
import * as extents from "../../../src/filesystem/ext/extent.ts";
import * as groupDescriptors from "../../../src/filesystem/ext/group-descriptor.ts";
import * as inodes from "../../../src/filesystem/ext/inode.ts";
import * as journal from "../../../src/filesystem/ext/journal-format.ts";
import * as orphanFile from "../../../src/filesystem/ext/orphan-file.ts";
import * as quota from "../../../src/filesystem/ext/quota-format.ts";
import * as superblocks from "../../../src/filesystem/ext/superblock.ts";
import { Struct } from "../../../src/bytes/index.ts";

type Pins = Readonly<Record<string, readonly [offset: number, sizeBytes: number]>>;

/** Where every field stands: for superblock, inode and descriptor compared with what a C compiler makes of ext2_fs.h. */
const pinned: Readonly<Record<string, { readonly sizeBytes: number; readonly fields: Pins }>> = {
  superblock: {
    sizeBytes: 1024,
    fields: {
      inodeCount: [0x0, 4],
      blockCountLow: [0x4, 4],
      reservedBlockCountLow: [0x8, 4],
      freeBlockCountLow: [0xc, 4],
      freeInodeCount: [0x10, 4],
      firstDataBlock: [0x14, 4],
      logBlockSize: [0x18, 4],
      logClusterSize: [0x1c, 4],
      blocksPerGroup: [0x20, 4],
      clustersPerGroup: [0x24, 4],
      inodesPerGroup: [0x28, 4],
      mountTime: [0x2c, 4],
      writeTime: [0x30, 4],
      mountCount: [0x34, 2],
      maximumMountCount: [0x36, 2],
      magic: [0x38, 2],
      state: [0x3a, 2],
      errorBehaviour: [0x3c, 2],
      minorRevision: [0x3e, 2],
      lastCheckTime: [0x40, 4],
      checkInterval: [0x44, 4],
      creatorOs: [0x48, 4],
      revision: [0x4c, 4],
      reservedUid: [0x50, 2],
      reservedGid: [0x52, 2],
      firstInode: [0x54, 4],
      inodeSize: [0x58, 2],
      groupOfThisCopy: [0x5a, 2],
      compatible: [0x5c, 4],
      incompatible: [0x60, 4],
      readOnlyCompatible: [0x64, 4],
      uuid: [0x68, 16],
      label: [0x78, 16],
      lastMounted: [0x88, 64],
      unusedCompression: [0xc8, 4],
      reservedGdtBlocks: [0xce, 2],
      journalUuid: [0xd0, 16],
      journalInode: [0xe0, 4],
      journalDevice: [0xe4, 4],
      lastOrphan: [0xe8, 4],
      hashSeed: [0xec, 16],
      defaultHashVersion: [0xfc, 1],
      journalBackupType: [0xfd, 1],
      descriptorSize: [0xfe, 2],
      defaultMountOptions: [0x100, 4],
      firstMetaBlockGroup: [0x104, 4],
      makeTime: [0x108, 4],
      journalBlocks: [0x10c, 68],
      blockCountHigh: [0x150, 4],
      reservedBlockCountHigh: [0x154, 4],
      freeBlockCountHigh: [0x158, 4],
      minimumExtraInodeSize: [0x15c, 2],
      wantedExtraInodeSize: [0x15e, 2],
      flags: [0x160, 4],
      raidStride: [0x164, 2],
      mmpBlockLow: [0x168, 4],
      mmpBlockHigh: [0x16c, 4],
      raidStripeWidth: [0x170, 4],
      logGroupsPerFlex: [0x174, 1],
      checksumType: [0x175, 1],
      writtenKibibytes: [0x178, 8],
      unusedSnapshotId: [0x184, 4],
      errorCount: [0x194, 4],
      userQuotaInode: [0x240, 4],
      groupQuotaInode: [0x244, 4],
      overheadClusters: [0x248, 4],
      backupGroups: [0x24c, 8],
      projectQuotaInode: [0x26c, 4],
      checksumSeed: [0x270, 4],
      makeTimeHigh: [0x276, 1],
      writeTimeHigh: [0x274, 1],
      orphanFileInode: [0x280, 4],
      checksum: [0x3fc, 4],
    },
  },
  groupDescriptor32: {
    sizeBytes: 32,
    fields: {
      blockBitmapLow: [0x0, 4],
      inodeBitmapLow: [0x4, 4],
      inodeTableLow: [0x8, 4],
      freeBlockCountLow: [0xc, 2],
      freeInodeCountLow: [0xe, 2],
      directoryCountLow: [0x10, 2],
      flags: [0x12, 2],
      excludeBitmapLow: [0x14, 4],
      blockBitmapChecksumLow: [0x18, 2],
      inodeBitmapChecksumLow: [0x1a, 2],
      unusedInodeCountLow: [0x1c, 2],
      checksum: [0x1e, 2],
    },
  },
  groupDescriptor64: {
    sizeBytes: 64,
    fields: {
      blockBitmapLow: [0x0, 4],
      inodeBitmapLow: [0x4, 4],
      inodeTableLow: [0x8, 4],
      freeBlockCountLow: [0xc, 2],
      freeInodeCountLow: [0xe, 2],
      directoryCountLow: [0x10, 2],
      flags: [0x12, 2],
      excludeBitmapLow: [0x14, 4],
      blockBitmapChecksumLow: [0x18, 2],
      inodeBitmapChecksumLow: [0x1a, 2],
      unusedInodeCountLow: [0x1c, 2],
      checksum: [0x1e, 2],
      blockBitmapHigh: [0x20, 4],
      inodeBitmapHigh: [0x24, 4],
      inodeTableHigh: [0x28, 4],
      freeBlockCountHigh: [0x2c, 2],
      freeInodeCountHigh: [0x2e, 2],
      directoryCountHigh: [0x30, 2],
      unusedInodeCountHigh: [0x32, 2],
      excludeBitmapHigh: [0x34, 4],
      blockBitmapChecksumHigh: [0x38, 2],
      inodeBitmapChecksumHigh: [0x3a, 2],
    },
  },
  inodeBase: {
    sizeBytes: 128,
    fields: {
      mode: [0x0, 2],
      uidLow: [0x2, 2],
      sizeLow: [0x4, 4],
      accessTime: [0x8, 4],
      changeTime: [0xc, 4],
      modifyTime: [0x10, 4],
      deletionTime: [0x14, 4],
      gidLow: [0x18, 2],
      linkCount: [0x1a, 2],
      blockCountLow: [0x1c, 4],
      flags: [0x20, 4],
      versionLow: [0x24, 4],
      block: [0x28, 60],
      generation: [0x64, 4],
      xattrBlockLow: [0x68, 4],
      sizeHigh: [0x6c, 4],
      blockCountHigh: [0x74, 2],
      xattrBlockHigh: [0x76, 2],
      uidHigh: [0x78, 2],
      gidHigh: [0x7a, 2],
      checksumLow: [0x7c, 2],
    },
  },
  inodeExtra: {
    sizeBytes: 32,
    fields: {
      extraSize: [0x0, 2],
      checksumHigh: [0x2, 2],
      changeTimeExtra: [0x4, 4],
      modifyTimeExtra: [0x8, 4],
      accessTimeExtra: [0xc, 4],
      creationTime: [0x10, 4],
      creationTimeExtra: [0x14, 4],
      versionHigh: [0x18, 4],
      projectId: [0x1c, 4],
    },
  },
  extentHeader: {
    sizeBytes: 12,
    fields: {
      magic: [0x0, 2],
      entryCount: [0x2, 2],
      entryLimit: [0x4, 2],
      depth: [0x6, 2],
      generation: [0x8, 4],
    },
  },
  extentIndex: {
    sizeBytes: 12,
    fields: {
      logicalBlock: [0x0, 4],
      childLow: [0x4, 4],
      childHigh: [0x8, 2],
    },
  },
  extentLeaf: {
    sizeBytes: 12,
    fields: {
      logicalBlock: [0x0, 4],
      length: [0x4, 2],
      startHigh: [0x6, 2],
      startLow: [0x8, 4],
    },
  },
  directoryEntry: {
    sizeBytes: 8,
    fields: {
      inode: [0x0, 4],
      recordLength: [0x4, 2],
      nameLength: [0x6, 1],
      fileType: [0x7, 1],
    },
  },
  directoryTail: {
    sizeBytes: 12,
    fields: {
      inode: [0x0, 4],
      recordLength: [0x4, 2],
      nameLength: [0x6, 1],
      fileType: [0x7, 1],
      checksum: [0x8, 4],
    },
  },
  indexCount: {
    sizeBytes: 8,
    fields: {
      limit: [0x0, 2],
      count: [0x2, 2],
      block: [0x4, 4],
    },
  },
  indexEntry: {
    sizeBytes: 8,
    fields: {
      hash: [0x0, 4],
      block: [0x4, 4],
    },
  },
  indexRootInfo: {
    sizeBytes: 8,
    fields: {
      reserved: [0x0, 4],
      hashVersion: [0x4, 1],
      infoLength: [0x5, 1],
      indirectLevels: [0x6, 1],
      unusedFlags: [0x7, 1],
    },
  },
  indexTail: {
    sizeBytes: 8,
    fields: {
      reserved: [0x0, 4],
      checksum: [0x4, 4],
    },
  },
  xattrBlockHeader: {
    sizeBytes: 32,
    fields: {
      magic: [0x0, 4],
      referenceCount: [0x4, 4],
      blockCount: [0x8, 4],
      hash: [0xc, 4],
      checksum: [0x10, 4],
    },
  },
  xattrEntry: {
    sizeBytes: 16,
    fields: {
      nameLength: [0x0, 1],
      nameIndex: [0x1, 1],
      valueOffset: [0x2, 2],
      valueInode: [0x4, 4],
      valueSize: [0x8, 4],
      hash: [0xc, 4],
    },
  },
  journalCommit: {
    sizeBytes: 60,
    fields: {
      magic: [0x0, 4],
      blockType: [0x4, 4],
      sequence: [0x8, 4],
      checksumType: [0xc, 1],
      checksumSize: [0xd, 1],
      checksums: [0x10, 32],
      commitSecondsHigh: [0x30, 4],
      commitSecondsLow: [0x34, 4],
      commitNanoseconds: [0x38, 4],
    },
  },
  journalHeader: {
    sizeBytes: 12,
    fields: {
      magic: [0x0, 4],
      blockType: [0x4, 4],
      sequence: [0x8, 4],
    },
  },
  journalRevocation: {
    sizeBytes: 16,
    fields: {
      magic: [0x0, 4],
      blockType: [0x4, 4],
      sequence: [0x8, 4],
      usedBytes: [0xc, 4],
    },
  },
  journalSuperblock: {
    sizeBytes: 1024,
    fields: {
      magic: [0x0, 4],
      blockType: [0x4, 4],
      sequence: [0x8, 4],
      blockSize: [0xc, 4],
      blockCount: [0x10, 4],
      firstBlock: [0x14, 4],
      firstSequence: [0x18, 4],
      startBlock: [0x1c, 4],
      errorNumber: [0x20, 4],
      compatible: [0x24, 4],
      incompatible: [0x28, 4],
      readOnlyCompatible: [0x2c, 4],
      uuid: [0x30, 16],
      userCount: [0x40, 4],
      maximumTransactionBlocks: [0x48, 4],
      maximumTransactionData: [0x4c, 4],
      checksumType: [0x50, 1],
      fastCommitBlocks: [0x54, 4],
      checksum: [0xfc, 4],
      users: [0x100, 768],
    },
  },
  orphanBlockTail: { sizeBytes: 8, fields: { magic: [0x0, 4], checksum: [0x4, 4] } },
  quotaHead: {
    sizeBytes: 32,
    fields: { magic: [0x0, 4], version: [0x4, 4], blockCount: [0x14, 4], freeBlock: [0x18, 4], freeEntry: [0x1c, 4] },
  },
  quotaLeaf: { sizeBytes: 16, fields: { nextFree: [0x0, 4], previousFree: [0x4, 4], entryCount: [0x8, 2] } },
  quotaEntry: {
    sizeBytes: 72,
    fields: { id: [0x0, 4], inodes: [0x18, 8], spaceBytes: [0x30, 8], inodeTime: [0x40, 8] },
  },
  journalTag: {
    sizeBytes: 12,
    fields: {
      blockLow: [0x0, 4],
      checksum: [0x4, 2],
      flags: [0x6, 2],
      blockHigh: [0x8, 4],
    },
  },
  journalTagV3: {
    sizeBytes: 16,
    fields: {
      blockLow: [0x0, 4],
      flags: [0x4, 4],
      blockHigh: [0x8, 4],
      checksum: [0xc, 4],
    },
  },
};

const modules = [
  superblocks,
  groupDescriptors,
  inodes,
  extents,
  directoryEntries,
  attributes,
  journal,
  orphanFile,
  quota,
];

test("every field of every structure stands where the format has it", () => {
  const found: Record<string, { readonly sizeBytes: number; readonly fields: Pins }> = {};
  for (const [name, value] of modules.flatMap((module) => Object.entries(module))) {
    if (!(value instanceof Struct)) continue;
    const fields = Object.entries<readonly [number, { readonly sizeBytes: number }]>(value.fields);
    found[name] = {
      sizeBytes: value.sizeBytes,
      fields: Object.fromEntries(fields.map(([field, [offset, type]]) => [field, [offset, type.sizeBytes] as const])),
    };
  }
  assert.deepEqual(found, pinned);
});
