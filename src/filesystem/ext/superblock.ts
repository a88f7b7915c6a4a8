import { array, ascii, bytes, Struct, type StructRecord, u16, u32, u64, u8, uuid } from "../../bytes/index.ts";

/** The superblock stands this far into the file system, whatever the block size. */
export const superblockAt = 1024;
export const superblockMagic = 0xef53;

/** Linux kernel documentation, filesystems/ext4/globals.rst, "Super Block". */
export const superblock = new Struct("ext superblock", 1024, {
  inodeCount: [0x000, u32],
  blockCountLow: [0x004, u32],
  reservedBlockCountLow: [0x008, u32],
  freeBlockCountLow: [0x00c, u32],
  freeInodeCount: [0x010, u32],
  firstDataBlock: [0x014, u32],
  logBlockSize: [0x018, u32],
  logClusterSize: [0x01c, u32],
  blocksPerGroup: [0x020, u32],
  clustersPerGroup: [0x024, u32],
  inodesPerGroup: [0x028, u32],
  mountTime: [0x02c, u32],
  writeTime: [0x030, u32],
  mountCount: [0x034, u16],
  maximumMountCount: [0x036, u16],
  magic: [0x038, u16],
  state: [0x03a, u16],
  errorBehaviour: [0x03c, u16],
  minorRevision: [0x03e, u16],
  lastCheckTime: [0x040, u32],
  checkInterval: [0x044, u32],
  creatorOs: [0x048, u32],
  revision: [0x04c, u32],
  reservedUid: [0x050, u16],
  reservedGid: [0x052, u16],
  firstInode: [0x054, u32],
  inodeSize: [0x058, u16],
  groupOfThisCopy: [0x05a, u16],
  compatible: [0x05c, u32],
  incompatible: [0x060, u32],
  readOnlyCompatible: [0x064, u32],
  uuid: [0x068, uuid],
  label: [0x078, bytes(16)],
  lastMounted: [0x088, ascii(64)],
  /** For a compression that ext2 was once to have; Linux neither reads nor writes it. */
  unusedCompression: [0x0c8, u32],
  reservedGdtBlocks: [0x0ce, u16],
  journalUuid: [0x0d0, uuid],
  journalInode: [0x0e0, u32],
  journalDevice: [0x0e4, u32],
  lastOrphan: [0x0e8, u32],
  hashSeed: [0x0ec, array(u32, 4)],
  defaultHashVersion: [0x0fc, u8],
  journalBackupType: [0x0fd, u8],
  descriptorSize: [0x0fe, u16],
  defaultMountOptions: [0x100, u32],
  firstMetaBlockGroup: [0x104, u32],
  makeTime: [0x108, u32],
  journalBlocks: [0x10c, array(u32, 17)],
  blockCountHigh: [0x150, u32],
  reservedBlockCountHigh: [0x154, u32],
  freeBlockCountHigh: [0x158, u32],
  minimumExtraInodeSize: [0x15c, u16],
  wantedExtraInodeSize: [0x15e, u16],
  flags: [0x160, u32],
  raidStride: [0x164, u16],
  mmpBlockLow: [0x168, u32],
  mmpBlockHigh: [0x16c, u32],
  raidStripeWidth: [0x170, u32],
  logGroupsPerFlex: [0x174, u8],
  checksumType: [0x175, u8],
  writtenKibibytes: [0x178, u64],
  /** For snapshots that Linux never had; see `resize/interrupted.ts`. */
  unusedSnapshotId: [0x184, u32],
  errorCount: [0x194, u32],
  userQuotaInode: [0x240, u32],
  groupQuotaInode: [0x244, u32],
  overheadClusters: [0x248, u32],
  backupGroups: [0x24c, array(u32, 2)],
  projectQuotaInode: [0x26c, u32],
  checksumSeed: [0x270, u32],
  makeTimeHigh: [0x276, u8],
  writeTimeHigh: [0x274, u8],
  orphanFileInode: [0x280, u32],
  checksum: [0x3fc, u32],
});

export type Superblock = StructRecord<typeof superblock>;

/** Bits of `state`. */
export const stateClean = 1;
export const stateErrors = 2;

/** Bits of `flags`: how names are hashed in directory indexes. */
export const flagSignedHash = 1;
export const flagUnsignedHash = 2;
