import { array, Struct, u16be, u32be, u8, uuid, bytes } from "../../bytes/index.ts";

/** JBD2 (Linux kernel documentation, filesystems/ext4/journal.rst). Everything in a journal is big-endian. */
export const journalMagic = 0xc03b3998;

export const journalBlockType = {
  descriptor: 1,
  commit: 2,
  superblockV1: 3,
  superblockV2: 4,
  revocation: 5,
} as const;

export const journalHeader = new Struct("journal block header", 12, {
  magic: [0x0, u32be],
  blockType: [0x4, u32be],
  sequence: [0x8, u32be],
});

export const journalSuperblock = new Struct("journal superblock", 1024, {
  ...journalHeader.fields,
  blockSize: [0x0c, u32be],
  blockCount: [0x10, u32be],
  firstBlock: [0x14, u32be],
  firstSequence: [0x18, u32be],
  /** Where the log starts; 0 in a clean journal. */
  startBlock: [0x1c, u32be],
  errorNumber: [0x20, u32be],
  compatible: [0x24, u32be],
  incompatible: [0x28, u32be],
  readOnlyCompatible: [0x2c, u32be],
  uuid: [0x30, uuid],
  userCount: [0x40, u32be],
  maximumTransactionBlocks: [0x48, u32be],
  maximumTransactionData: [0x4c, u32be],
  checksumType: [0x50, u8],
  fastCommitBlocks: [0x54, u32be],
  checksum: [0xfc, u32be],
  users: [0x100, bytes(16 * 48)],
});

export const journalFeature = {
  /** Incompatible. */
  revocation: 0x1,
  "64bit": 0x2,
  asynchronousCommit: 0x4,
  checksumV2: 0x8,
  checksumV3: 0x10,
  fastCommit: 0x20,
} as const;

export const journalTagV3 = new Struct("journal block tag (checksum v3)", 16, {
  blockLow: [0x0, u32be],
  flags: [0x4, u32be],
  blockHigh: [0x8, u32be],
  checksum: [0xc, u32be],
});

/** The older form: 8 bytes, 12 with `64bit`. */
export const journalTag = new Struct("journal block tag", 12, {
  blockLow: [0x0, u32be],
  checksum: [0x4, u16be],
  flags: [0x6, u16be],
  blockHigh: [0x8, u32be],
});

/** Bits of a tag's `flags`. */
export const journalTagFlag = { escaped: 1, sameUuid: 2, deleted: 4, last: 8 } as const;

export const journalCommit = new Struct("journal commit block", 60, {
  ...journalHeader.fields,
  checksumType: [0x0c, u8],
  checksumSize: [0x0d, u8],
  checksums: [0x10, array(u32be, 8)],
  commitSecondsHigh: [0x30, u32be],
  commitSecondsLow: [0x34, u32be],
  commitNanoseconds: [0x38, u32be],
});

export const journalRevocation = new Struct("journal revocation block header", 16, {
  ...journalHeader.fields,
  /** Bytes in use in this block, this header included. */
  usedBytes: [0xc, u32be],
});
