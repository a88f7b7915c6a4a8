import { bits64, bytes, Struct, u16, u32, u8, uuid, type StructRecord } from "../../bytes/index.ts";
import { claimed64 } from "../claimed-count.ts";
import { keyField, wide64 } from "./key.ts";

// After linux/btrfs_tree.h and the btrfs documentation, "On-disk Format". Names are those of docs/formats/btrfs.md.

/** What every node begins with. */
export const nodeHeader = new Struct("btrfs node header", 101, {
  checksum: [0, bytes(32)],
  uuid: [32, uuid],
  logical: [48, claimed64],
  flags: [56, bits64],
  chunkTreeUuid: [64, uuid],
  generation: [80, claimed64],
  owner: [88, wide64],
  itemCount: [96, u32],
  level: [100, u8],
});

/** Of a leaf. The data is so far behind the header. */
export const leafItem = new Struct("btrfs leaf item", 25, {
  key: [0, keyField],
  dataAt: [17, u32],
  dataBytes: [21, u32],
});

/** Of a node above the leaves. */
export const childPointer = new Struct("btrfs child pointer", 33, {
  key: [0, keyField],
  logical: [17, claimed64],
  generation: [25, claimed64],
});

/** Its stripes follow. */
export const chunkItem = new Struct("btrfs chunk", 48, {
  lengthBytes: [0, claimed64],
  owner: [8, wide64],
  stripeBytes: [16, claimed64],
  flags: [24, bits64],
  stripeCount: [44, u16],
  subStripes: [46, u16],
});

export const chunkStripe = new Struct("btrfs chunk stripe", 32, {
  deviceId: [0, claimed64],
  startBytes: [8, claimed64],
  deviceUuid: [16, uuid],
});

export const deviceItem = new Struct("btrfs device item", 98, {
  deviceId: [0, claimed64],
  totalBytes: [8, claimed64],
  usedBytes: [16, claimed64],
  uuid: [66, uuid],
});

export const deviceExtent = new Struct("btrfs device extent", 48, {
  chunkTree: [0, wide64],
  chunkId: [8, claimed64],
  chunkLogical: [16, claimed64],
  lengthBytes: [24, claimed64],
});

export const blockGroup = new Struct("btrfs block group", 24, {
  usedBytes: [0, claimed64],
  chunkId: [8, claimed64],
  flags: [16, bits64],
});

export const freeSpaceInfo = new Struct("btrfs free space info", 8, { runCount: [0, u32], flags: [4, u32] });

/** Inline references follow; before them, in tree blocks without skinny metadata, a key and a level. */
export const extentItem = new Struct("btrfs extent item", 24, {
  references: [0, claimed64],
  generation: [8, claimed64],
  flags: [16, bits64],
});

export const extentFlags = { data: 1n, treeBlock: 2n } as const;

/** Before the first of an extent's inline references, where its tree block is not told by the key. */
export const treeBlockInfo = new Struct("btrfs tree block info", 18, { key: [0, keyField], level: [17, u8] });

/** What stands behind the type of an inline reference to data, and in an item of its own. */
export const extentDataRef = new Struct("btrfs extent data reference", 28, {
  root: [0, wide64],
  inode: [8, wide64],
  offset: [16, wide64],
  count: [24, u32],
});

export const inodeItem = new Struct("btrfs inode", 160, {
  generation: [0, claimed64],
  sizeBytes: [16, claimed64],
  allocatedBytes: [24, claimed64],
  links: [40, u32],
  uid: [44, u32],
  gid: [48, u32],
  mode: [52, u32],
  device: [56, bits64],
  flags: [64, bits64],
  accessedSeconds: [112, wide64],
  accessedNanoseconds: [120, u32],
  changedSeconds: [124, wide64],
  changedNanoseconds: [132, u32],
  modifiedSeconds: [136, wide64],
  modifiedNanoseconds: [144, u32],
  createdSeconds: [148, wide64],
  createdNanoseconds: [156, u32],
});

export type InodeRecord = StructRecord<typeof inodeItem>;

/** Bits of an inode's flags. */
export const inodeFlags = { noChecksums: 1n } as const;

/** What is there of a root item in every version. */
export const rootItem = new Struct("btrfs root item", 239, {
  generation: [160, claimed64],
  rootDirectory: [168, claimed64],
  logical: [176, claimed64],
  usedBytes: [192, claimed64],
  flags: [208, bits64],
  references: [216, u32],
  dropKey: [220, keyField],
  dropLevel: [237, u8],
  level: [238, u8],
});

export type RootRecord = StructRecord<typeof rootItem>;

/** The name follows. */
export const rootReference = new Struct("btrfs root reference", 18, {
  directory: [0, claimed64],
  sequence: [8, claimed64],
  nameBytes: [16, u16],
});

/** The name and, of an attribute, its value follow. */
export const directoryItem = new Struct("btrfs directory item", 30, {
  target: [0, keyField],
  generation: [17, claimed64],
  dataBytes: [25, u16],
  nameBytes: [27, u16],
  type: [29, u8],
});

/** The name follows. */
export const inodeReference = new Struct("btrfs inode reference", 10, {
  index: [0, claimed64],
  nameBytes: [8, u16],
});

/** The name follows. */
export const inodeExtref = new Struct("btrfs extended inode reference", 18, {
  directory: [0, claimed64],
  index: [8, claimed64],
  nameBytes: [16, u16],
});

/** The data follows where it is inline, or else a place. */
export const fileExtent = new Struct("btrfs file extent", 21, {
  generation: [0, claimed64],
  memoryBytes: [8, claimed64],
  compression: [16, u8],
  encryption: [17, u8],
  encoding: [18, u16],
  type: [20, u8],
});

export const fileExtentTypes = { inline: 0, regular: 1, preallocated: 2 } as const;

/** Where the data of a file extent is that is not inline. */
export const fileExtentPlace = new Struct("btrfs file extent place", 53, {
  logical: [21, claimed64],
  storedBytes: [29, claimed64],
  offsetBytes: [37, claimed64],
  lengthBytes: [45, claimed64],
});
