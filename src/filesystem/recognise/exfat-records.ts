import { bytes, Struct, u16, u32, u8 } from "../../bytes/index.ts";
import { claimed64 } from "../claimed-count.ts";

/** exFAT specification §3.1: the first sector of the boot region, which stands again 12 sectors on. */
export const exfatBootSector = new Struct("exFAT boot sector", 512, {
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
  percentInUse: [112, u8],
  endMark: [510, u16],
});

/** §6.2: what every entry of a directory begins with. */
export const exfatEntry = new Struct("exFAT directory entry", 32, {
  type: [0, u8],
});

/** §7.1. */
export const exfatBitmapEntry = new Struct("exFAT allocation bitmap entry", 32, {
  type: [0, u8],
  flags: [1, u8],
  firstCluster: [20, u32],
  dataBytes: [24, claimed64],
});

/** §7.3. */
export const exfatLabelEntry = new Struct("exFAT volume label entry", 32, {
  type: [0, u8],
  unitCount: [1, u8],
  label: [2, bytes(22)],
});

export const exfatEntryTypes = { end: 0x00, bitmap: 0x81, label: 0x83 } as const;

/** §3.1.13. */
export const exfatFlags = { secondFatIsActive: 1, dirty: 2, mediaFailure: 4 } as const;
