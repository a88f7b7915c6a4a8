import { Struct, u16, u32, u64, u8 } from "../../bytes/index.ts";

// GRUB 2.06 include/grub/kernel.h, 32-bit platforms
export const moduleInfo32 = new Struct("GRUB module info, 32 bits", 12, {
  magic: [0x0, u32],
  offset: [0x4, u32],
  sizeBytes: [0x8, u32],
});

// The same, 64-bit platforms
export const moduleInfo64 = new Struct("GRUB module info, 64 bits", 24, {
  magic: [0x00, u32],
  offset: [0x08, u64],
  sizeBytes: [0x10, u64],
});
export const moduleInfoMagic = 0x676d696d;

// GRUB 2.06 include/grub/kernel.h
export const moduleHeader = new Struct("GRUB module header", 8, {
  type: [0x0, u32],
  /** With this header. */
  sizeBytes: [0x4, u32],
});
export const objectTypes = { elf: 0, config: 2, prefix: 3 } as const;

// GRUB 2.06 include/grub/offsets.h, the start of lzma_decompress.img
export const decompressor = new Struct("GRUB decompressor", 0x1c, {
  compressedBytes: [0x08, u32],
  uncompressedBytes: [0x0c, u32],
  redundancyBytes: [0x10, u32],
  noRedundancyBytes: [0x14, u16],
});

// GRUB 2.06 include/grub/offsets.h: struct grub_pc_bios_boot_blocklist. The first one ends diskboot.img, further ones stand before it.
export const blockListEntry = new Struct("GRUB block list entry", 12, {
  startLba: [0x0, u64],
  sectorCount: [0x8, u16],
  segment: [0xa, u16],
});

// GRUB 2.06 include/grub/i386/pc/boot.h
export const bootImage = new Struct("GRUB boot.img", 512, {
  kernelLba: [0x5c, u64],
  bootDrive: [0x64, u8],
  driveCheck: [0x66, u16],
});
