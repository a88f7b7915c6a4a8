import { array, bits64be, bytes, Struct, u16be, u32, u32be, u8, uuid } from "../../bytes/index.ts";
import { claimed64be } from "../claimed-count.ts";

/** XFS Algorithms & Data Structures, 3rd edition. Big-endian, but for checksums. */

/** "Superblocks". */
export const xfsSuperblock = new Struct("XFS superblock", 264, {
  magic: [0, u32be],
  blockSizeBytes: [4, u32be],
  dataBlocks: [8, claimed64be],
  realtimeBlocks: [16, claimed64be],
  realtimeExtents: [24, claimed64be],
  uuid: [32, uuid],
  logStart: [48, claimed64be],
  rootInode: [56, claimed64be],
  realtimeBitmapInode: [64, claimed64be],
  realtimeSummaryInode: [72, claimed64be],
  groupBlocks: [84, u32be],
  groupCount: [88, u32be],
  logBlocks: [96, u32be],
  version: [100, u16be],
  sectorBytes: [102, u16be],
  inodeBytes: [104, u16be],
  inodesPerBlock: [106, u16be],
  label: [108, bytes(12)],
  inodesPerBlockLog2: [123, u8],
  groupBlocksLog2: [124, u8],
  inProgress: [126, u8],
  inodeCount: [128, claimed64be],
  freeInodes: [136, claimed64be],
  freeBlocks: [144, claimed64be],
  userQuotaInode: [160, claimed64be],
  groupQuotaInode: [168, claimed64be],
  inodeAlignment: [180, u32be],
  directoryBlocksLog2: [192, u8],
  features2: [200, u32be],
  readOnlyCompatible: [212, u32be],
  incompatible: [216, u32be],
  checksum: [224, u32],
  projectQuotaInode: [232, claimed64be],
  metadataUuid: [248, uuid],
});

/** "AG Free Space Block". The roots and levels are those of the trees by place, by size, and of owners. */
export const xfsFreeSpaceHeader = new Struct("XFS free space header", 224, {
  magic: [0, u32be],
  version: [4, u32be],
  number: [8, u32be],
  blockCount: [12, u32be],
  roots: [16, array(u32be, 3)],
  levels: [28, array(u32be, 3)],
  listFirst: [40, u32be],
  listLast: [44, u32be],
  listCount: [48, u32be],
  freeBlocks: [52, u32be],
  longest: [56, u32be],
  treeBlocks: [60, u32be],
  uuid: [64, uuid],
  referenceRoot: [88, u32be],
  referenceLevels: [92, u32be],
  checksum: [216, u32],
});

export const unlinkedBuckets = 64;

/** "AG Inode Management". */
export const xfsInodeHeader = new Struct("XFS inode header", 344, {
  magic: [0, u32be],
  version: [4, u32be],
  number: [8, u32be],
  blockCount: [12, u32be],
  inodeCount: [16, u32be],
  root: [20, u32be],
  levels: [24, u32be],
  freeInodes: [28, u32be],
  unlinked: [40, array(u32be, unlinkedBuckets)],
  uuid: [296, uuid],
  checksum: [312, u32],
  freeRoot: [328, u32be],
  freeLevels: [332, u32be],
});

/** "AG Free List": only with checksums; without them the list begins at once. */
export const xfsFreeListHeader = new Struct("XFS free list header", 36, {
  magic: [0, u32be],
  number: [4, u32be],
  uuid: [8, uuid],
  checksum: [32, u32],
});

/** "Log Record": every record begins with it. Numbers of blocks are of 512 bytes. */
export const xfsLogRecord = new Struct("XFS log record", 328, {
  magic: [0, u32be],
  cycle: [4, u32be],
  version: [8, u32be],
  lengthBytes: [12, u32be],
  tailCycle: [24, u32be],
  tailBlock: [28, u32be],
  operationCount: [40, u32be],
  format: [300, u32be],
  bufferBytes: [320, u32be],
});

/** "On-disk Inode": of versions 1 and 2 the first 100 bytes. Of what depends on others, see `inode.ts`. */
export const xfsInode = new Struct("XFS inode", 176, {
  magic: [0, u16be],
  mode: [2, u16be],
  version: [4, u8],
  format: [5, u8],
  oldLinks: [6, u16be],
  uid: [8, u32be],
  gid: [12, u32be],
  links: [16, u32be],
  manyDataExtents: [24, claimed64be],
  accessed: [32, bits64be],
  modified: [40, bits64be],
  changed: [48, bits64be],
  sizeBytes: [56, claimed64be],
  blockCount: [64, claimed64be],
  dataExtents: [76, u32be],
  attributeExtents: [80, u16be],
  attributeOffset: [82, u8],
  attributeFormat: [83, u8],
  flags: [90, u16be],
  nextUnlinked: [96, u32be],
  checksum: [100, u32],
  moreFlags: [124, u32be],
  created: [144, bits64be],
  number: [152, claimed64be],
  uuid: [160, uuid],
});

/** "Remote symbolic links" and "Remote attribute values": what begins each piece where there are checksums. */
export const xfsRemoteHeader = new Struct("XFS remote header", 56, {
  magic: [0, u32be],
  offset: [4, u32be],
  lengthBytes: [8, u32be],
  checksum: [12, u32],
  uuid: [16, uuid],
  owner: [32, claimed64be],
  place: [40, claimed64be],
});
