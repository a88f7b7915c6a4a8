import { bytes, Struct, u16, u32, u8 } from "../../bytes/index.ts";
import { claimed64 } from "../claimed-count.ts";

/*
 * The records of NTFS as its documents by Russon and Fledel ("NTFS Documentation") and the header layout.h of
 * ntfs-3g have them. All numbers are little-endian.
 */

/** The boot sector, which stands again in the last sector. */
export const ntfsBootSector = new Struct("NTFS boot sector", 512, {
  jump: [0, bytes(3)],
  signature: [3, bytes(8)],
  sectorBytes: [11, u16],
  sectorsPerCluster: [13, u8],
  media: [21, u8],
  sectorCount: [40, claimed64],
  mftCluster: [48, claimed64],
  mirrorCluster: [56, claimed64],
  clustersPerRecord: [64, u8],
  clustersPerIndexBlock: [68, u8],
  serial: [72, bytes(8)],
  endMark: [510, u16],
});

/** What each record of the master file table begins with. */
export const ntfsRecord = new Struct("NTFS file record", 48, {
  signature: [0, u32],
  fixupOffset: [4, u16],
  fixupCount: [6, u16],
  sequence: [16, u16],
  attributesOffset: [20, u16],
  flags: [22, u16],
  usedBytes: [24, u32],
  baseRecord: [32, claimed64],
});
export const ntfsRecordSignature = 0x454c4946; // "FILE"

export const ntfsAttribute = new Struct("NTFS attribute", 16, {
  type: [0, u32],
  lengthBytes: [4, u32],
  isOutside: [8, u8],
  nameUnits: [9, u8],
  nameOffset: [10, u16],
  flags: [12, u16],
});

/** What follows where the value stands in the record. */
export const ntfsResident = new Struct("NTFS resident attribute", 24, {
  valueBytes: [16, u32],
  valueOffset: [20, u16],
});

/** What follows where the value stands in clusters outside. */
export const ntfsNonResident = new Struct("NTFS non-resident attribute", 64, {
  firstCluster: [16, claimed64],
  lastCluster: [24, claimed64],
  runsOffset: [32, u16],
  allocatedBytes: [40, claimed64],
  dataBytes: [48, claimed64],
});

/** An entry of an attribute list: which record has a piece of which attribute. */
export const ntfsListEntry = new Struct("NTFS attribute list entry", 26, {
  type: [0, u32],
  lengthBytes: [4, u16],
  nameUnits: [6, u8],
  firstCluster: [8, claimed64],
  recordLow: [16, u32],
  recordHigh: [20, u16],
});

/** The value of $VOLUME_INFORMATION. */
export const ntfsVolumeInformation = new Struct("NTFS volume information", 12, {
  major: [8, u8],
  minor: [9, u8],
  flags: [10, u16],
});

/** The value of $INDEX_ROOT, with the header of the entries in it. */
export const ntfsIndexRoot = new Struct("NTFS index root", 32, {
  blockBytes: [8, u32],
  entriesOffset: [16, u32],
  entriesBytes: [20, u32],
});

/** A block of $INDEX_ALLOCATION, with the header of the entries in it. */
export const ntfsIndexBlock = new Struct("NTFS index block", 40, {
  signature: [0, u32],
  fixupOffset: [4, u16],
  fixupCount: [6, u16],
  entriesOffset: [24, u32],
  entriesBytes: [28, u32],
});
export const ntfsIndexSignature = 0x58444e49; // "INDX"

/** An entry of a directory's index; behind it a file name, but in the last one. */
export const ntfsIndexEntry = new Struct("NTFS index entry", 16, {
  recordLow: [0, u32],
  recordHigh: [4, u16],
  sequence: [6, u16],
  lengthBytes: [8, u16],
  keyBytes: [10, u16],
  flags: [12, u16],
});

export const ntfsFileName = new Struct("NTFS file name", 66, {
  nameUnits: [64, u8],
});

export const attributeTypes = {
  list: 0x20,
  volumeName: 0x60,
  volumeInformation: 0x70,
  data: 0x80,
  indexRoot: 0x90,
  indexAllocation: 0xa0,
  end: 0xffffffff,
} as const;

/** The records of the master file table that are used here. */
export const recordNumbers = { mft: 0, volume: 3, root: 5, bitmap: 6 } as const;
