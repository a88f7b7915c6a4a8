import { Struct, u16, u32 } from "../../bytes/index.ts";

/** Linux kernel documentation, filesystems/ext4/ifork.rst, "Extent Tree". */
export const extentHeader = new Struct("ext4 extent header", 12, {
  magic: [0, u16],
  entryCount: [2, u16],
  entryLimit: [4, u16],
  depth: [6, u16],
  generation: [8, u32],
});

/** An entry of an inner node. */
export const extentIndex = new Struct("ext4 extent index", 12, {
  logicalBlock: [0, u32],
  childLow: [4, u32],
  childHigh: [8, u16],
});

/** An entry of a leaf. */
export const extentLeaf = new Struct("ext4 extent", 12, {
  logicalBlock: [0, u32],
  length: [4, u16],
  startHigh: [6, u16],
  startLow: [8, u32],
});

export const extentMagic = 0xf30a;
export const extentEntryBytes = 12;
/** Entries that the 60 bytes in an inode hold. */
export const extentsInInode = 4;
/** A longer length in a leaf means an extent that is allocated but reads as zeros, of `length - 32768` blocks. */
export const extentMaximumBlocks = 32768;
export const extentMaximumDepth = 5;
