import { Struct, type StructRecord, u16, u32 } from "../../bytes/index.ts";

/** Linux kernel documentation, filesystems/ext4/group_descr.rst: the first 32 bytes, all there is without `64bit`. */
export const groupDescriptor32 = new Struct("ext group descriptor", 32, {
  blockBitmapLow: [0x00, u32],
  inodeBitmapLow: [0x04, u32],
  inodeTableLow: [0x08, u32],
  freeBlockCountLow: [0x0c, u16],
  freeInodeCountLow: [0x0e, u16],
  directoryCountLow: [0x10, u16],
  flags: [0x12, u16],
  excludeBitmapLow: [0x14, u32],
  blockBitmapChecksumLow: [0x18, u16],
  inodeBitmapChecksumLow: [0x1a, u16],
  unusedInodeCountLow: [0x1c, u16],
  checksum: [0x1e, u16],
});

/** The same with `64bit` and a descriptor size of 64 bytes or more. */
export const groupDescriptor64 = new Struct("ext group descriptor (64bit)", 64, {
  ...groupDescriptor32.fields,
  blockBitmapHigh: [0x20, u32],
  inodeBitmapHigh: [0x24, u32],
  inodeTableHigh: [0x28, u32],
  freeBlockCountHigh: [0x2c, u16],
  freeInodeCountHigh: [0x2e, u16],
  directoryCountHigh: [0x30, u16],
  unusedInodeCountHigh: [0x32, u16],
  excludeBitmapHigh: [0x34, u32],
  blockBitmapChecksumHigh: [0x38, u16],
  inodeBitmapChecksumHigh: [0x3a, u16],
});

export type GroupDescriptor64 = StructRecord<typeof groupDescriptor64>;

/** Bits of `flags`. */
export const groupInodesUninitialised = 1;
export const groupBlocksUninitialised = 2;
export const groupInodeTableZeroed = 4;

/** Where the checksum stands in a descriptor: it is left out of its own sum. */
export const groupChecksumAt = 0x1e;
