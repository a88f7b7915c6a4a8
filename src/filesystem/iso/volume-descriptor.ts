import { ascii, bytes, Struct, u16, u32, u32be, u8 } from "../../bytes/index.ts";
import { bothU16, bothU32 } from "./both-endian.ts";

/** Volume descriptors and directories are divided into sectors of this size, whatever the block size. */
export const sectorBytes = 2048;
/** The first volume descriptor, after the system area (ECMA-119 §6.2.1). */
export const firstDescriptorAt = 16 * sectorBytes;
export const standardId = "CD001";

export const bootRecordType = 0;
export const primaryType = 1;
export const supplementaryType = 2;
export const terminatorType = 255;

/** ECMA-119 §8.4, §8.5; a supplementary descriptor of version 2 is an enhanced one (ISO 9660:1999 §8.5). */
export const volumeDescriptor = new Struct("ISO 9660 volume descriptor", sectorBytes, {
  type: [0, u8],
  standardId: [1, ascii(5)],
  version: [6, u8],
  volumeFlags: [7, u8],
  systemId: [8, bytes(32)],
  volumeId: [40, bytes(32)],
  spaceBlocks: [80, bothU32],
  escapeSequences: [88, bytes(32)],
  setSize: [120, bothU16],
  sequenceNumber: [124, bothU16],
  blockSizeBytes: [128, bothU16],
  pathTableBytes: [132, bothU32],
  littlePathTable: [140, u32],
  bigPathTable: [148, u32be],
  rootRecord: [156, bytes(34)],
  created: [813, bytes(17)],
  modified: [830, bytes(17)],
  fileStructureVersion: [881, u8],
});

/** El Torito 1.0, figure 7. */
export const bootRecord = new Struct("El Torito boot record", sectorBytes, {
  type: [0, u8],
  standardId: [1, ascii(5)],
  version: [6, u8],
  systemId: [7, ascii(32)],
  catalogueSector: [71, u32],
});
export const elToritoId = "EL TORITO SPECIFICATION";

/** El Torito 1.0, figure 2: what proves a catalogue. */
export const validationEntry = new Struct("El Torito validation entry", 32, {
  headerId: [0, u8],
  platform: [1, u8],
  manufacturer: [4, bytes(24)],
  checksum: [28, u16],
  key: [30, bytes(2)],
});

/** El Torito 1.0, figures 3 and 5. */
export const bootEntry = new Struct("El Torito boot entry", 32, {
  indicator: [0, u8],
  mediaType: [1, u8],
  loadSegment: [2, u16],
  systemType: [4, u8],
  /** Of 512 bytes, whatever the medium. */
  sectorCount: [6, u16],
  /** Of 2048 bytes. */
  startSector: [8, u32],
});

/** El Torito 1.0, figure 4. */
export const sectionHeader = new Struct("El Torito section header", 32, {
  indicator: [0, u8],
  platform: [1, u8],
  entryCount: [2, u16],
  id: [4, bytes(28)],
});
