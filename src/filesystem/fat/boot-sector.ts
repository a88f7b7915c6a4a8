import { ascii, bytes, Struct, u16, u32, u8 } from "../../bytes/index.ts";

/** What every FAT boot sector begins with: the BIOS parameter block ("FAT: General Overview" 1.03, pp. 7–11). */
export const bootSector = new Struct("FAT boot sector", 512, {
  jump: [0x00, bytes(3)],
  oemName: [0x03, ascii(8)],
  sectorBytes: [0x0b, u16],
  clusterSectors: [0x0d, u8],
  reservedSectors: [0x0e, u16],
  tableCount: [0x10, u8],
  rootEntries: [0x11, u16],
  sectorCount16: [0x13, u16],
  media: [0x15, u8],
  tableSectors16: [0x16, u16],
  trackSectors: [0x18, u16],
  heads: [0x1a, u16],
  hiddenSectors: [0x1c, u32],
  sectorCount32: [0x20, u32],
  signature: [0x1fe, u16],
});

/** What follows at byte 0x24 of FAT12 and FAT16. */
export const smallTail = new Struct("FAT12/16 boot sector", 512, {
  driveNumber: [0x24, u8],
  state: [0x25, u8],
  extendedSignature: [0x26, u8],
  volumeId: [0x27, u32],
  label: [0x2b, bytes(11)],
  typeName: [0x36, bytes(8)],
});

/** What follows at byte 0x24 of FAT32. */
export const largeTail = new Struct("FAT32 boot sector", 512, {
  tableSectors32: [0x24, u32],
  tableFlags: [0x28, u16],
  version: [0x2a, u16],
  rootCluster: [0x2c, u32],
  infoSector: [0x30, u16],
  backupSector: [0x32, u16],
  driveNumber: [0x40, u8],
  state: [0x41, u8],
  extendedSignature: [0x42, u8],
  volumeId: [0x43, u32],
  label: [0x47, bytes(11)],
  typeName: [0x52, bytes(8)],
});

/** Of `tableFlags`: only one table is kept up to date, the one that the low four bits name. */
export const mirroringOff = 0x80;
export const activeTableMask = 0x0f;

/** Of `state`: the volume was not closed; set by Linux while it is mounted. */
export const stateDirty = 0x01;

export const bootSignature = 0xaa55;
export const extendedSignatureFull = 0x29;

/** The sector in which FAT32 keeps how much is free ("FAT: General Overview" 1.03, p. 21). */
export const infoSector = new Struct("FAT32 FSInfo sector", 512, {
  leadSignature: [0x000, u32],
  structureSignature: [0x1e4, u32],
  freeClusters: [0x1e8, u32],
  nextFree: [0x1ec, u32],
  trailSignature: [0x1fc, u32],
});

export const infoSignatures = { leadSignature: 0x41615252, structureSignature: 0x61417272, trailSignature: 0xaa550000 };
/** In place of a count of free clusters: not known. */
export const unknownCount = 0xffffffff;
