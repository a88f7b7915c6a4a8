import { bytes, Struct, u16, u32, u8, type StructRecord } from "../../bytes/index.ts";
import { claimed64 } from "../claimed-count.ts";

/** exFAT specification §3.1: the first sector of the boot region, which stands again 12 sectors on. */
export const bootSector = new Struct("exFAT boot sector", 512, {
  jump: [0, bytes(3)],
  signature: [3, bytes(8)],
  partitionSector: [64, claimed64],
  sectorCount: [72, claimed64],
  fatSector: [80, u32],
  fatSectors: [84, u32],
  heapSector: [88, u32],
  clusterCount: [92, u32],
  rootCluster: [96, u32],
  serial: [100, u32],
  revision: [104, u16],
  flags: [106, u16],
  sectorBytesLog2: [108, u8],
  clusterSectorsLog2: [109, u8],
  fatCount: [110, u8],
  driveNumber: [111, u8],
  percentInUse: [112, u8],
  endMark: [510, u16],
});

export type BootSector = StructRecord<typeof bootSector>;

/** §3.1.13. */
export const volumeFlags = { secondFatIsActive: 1, dirty: 2, mediaFailure: 4, clearToZero: 8 } as const;

/** Every entry of a directory takes so many bytes. */
export const slotBytes = 32;
/** §7.4: no directory is larger. */
export const directoryLimitBytes = 256 * 2 ** 20;

/** §7.1. */
export const bitmapEntry = new Struct("exFAT allocation bitmap entry", slotBytes, {
  type: [0, u8],
  flags: [1, u8],
  firstCluster: [20, u32],
  dataBytes: [24, claimed64],
});

/** §7.2. */
export const upcaseEntry = new Struct("exFAT up-case table entry", slotBytes, {
  type: [0, u8],
  checksum: [4, u32],
  firstCluster: [20, u32],
  dataBytes: [24, claimed64],
});

/** §7.3. */
export const labelEntry = new Struct("exFAT volume label entry", slotBytes, {
  type: [0, u8],
  unitCount: [1, u8],
  label: [2, bytes(22)],
});

/** §7.4: the first entry of a file's set. */
export const fileEntry = new Struct("exFAT file entry", slotBytes, {
  type: [0, u8],
  secondaryCount: [1, u8],
  checksum: [2, u16],
  attributes: [4, u16],
  created: [8, u32],
  modified: [12, u32],
  accessed: [16, u32],
  createdHundredths: [20, u8],
  modifiedHundredths: [21, u8],
  createdOffset: [22, u8],
  modifiedOffset: [23, u8],
  accessedOffset: [24, u8],
});

export type FileEntryRecord = StructRecord<typeof fileEntry>;

/** §7.6: the second entry of a file's set. */
export const streamEntry = new Struct("exFAT stream extension entry", slotBytes, {
  type: [0, u8],
  flags: [1, u8],
  nameUnits: [3, u8],
  nameHash: [4, u16],
  validBytes: [8, claimed64],
  firstCluster: [20, u32],
  dataBytes: [24, claimed64],
});

export type StreamEntryRecord = StructRecord<typeof streamEntry>;

/** §7.7: 15 UTF-16 units of the name. */
export const nameEntry = new Struct("exFAT file name entry", slotBytes, {
  type: [0, u8],
  flags: [1, u8],
  units: [2, bytes(30)],
});

/** §6.4: what an entry that belongs to another one begins with, if it may have clusters of its own. */
export const secondaryEntry = new Struct("exFAT secondary entry", slotBytes, {
  type: [0, u8],
  flags: [1, u8],
  firstCluster: [20, u32],
  dataBytes: [24, claimed64],
});

export const entryTypes = {
  end: 0x00,
  /** Free; any type without the bit for being in use is. */
  unused: 0x05,
  bitmap: 0x81,
  upcase: 0x82,
  label: 0x83,
  file: 0x85,
  stream: 0xc0,
  name: 0xc1,
} as const;

/** Of an entry's type (§6.2.1). */
export const typeBits = { benign: 0x20, secondary: 0x40, inUse: 0x80 } as const;

/** §6.4.2. */
export const secondaryFlags = { allocationPossible: 1, noFatChain: 2 } as const;
