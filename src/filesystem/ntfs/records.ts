import { bits64, bytes, Struct, u16, u32, u8 } from "../../bytes/index.ts";
import { claimed64 } from "../claimed-count.ts";

/*
 * The records of NTFS as the documents of the Linux-NTFS project ("NTFS Documentation" by Russon and Fledel), libyal's
 * "New Technologies File System (NTFS)" and Microsoft's [MS-FSCC] have them. All numbers are little-endian.
 */

/** The boot sector, which stands again behind the last sector of the volume. */
export const bootSector = new Struct("NTFS boot sector", 512, {
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

/** What every structure begins with that has the ends of its sectors kept apart. */
export const fixupHeader = new Struct("NTFS fixups", 8, {
  signature: [0, u32],
  fixupOffset: [4, u16],
  fixupCount: [6, u16],
});

/** What each record of the master file table begins with. Before version 3.1 it ends at 42. */
export const recordHeader = new Struct("NTFS file record", 42, {
  signature: [0, u32],
  fixupOffset: [4, u16],
  fixupCount: [6, u16],
  sequence: [16, u16],
  linkCount: [18, u16],
  attributesOffset: [20, u16],
  flags: [22, u16],
  usedBytes: [24, u32],
  allocatedBytes: [28, u32],
  baseLow: [32, u32],
  baseHigh: [36, u16],
  baseSequence: [38, u16],
  nextAttributeId: [40, u16],
});
export const recordSignature = 0x454c4946; // "FILE"
export const recordFlags = { inUse: 1, directory: 2 } as const;

export const attributeHeader = new Struct("NTFS attribute", 16, {
  type: [0, u32],
  lengthBytes: [4, u32],
  isOutside: [8, u8],
  nameUnits: [9, u8],
  nameOffset: [10, u16],
  flags: [12, u16],
  id: [14, u16],
});
export const attributeFlags = { compressed: 0x00ff, encrypted: 0x4000, sparse: 0x8000 } as const;

/** What follows where the value stands in the record. */
export const residentHeader = new Struct("NTFS resident attribute", 24, {
  valueBytes: [16, u32],
  valueOffset: [20, u16],
});

/** What follows where the value stands in clusters outside. */
export const outsideHeader = new Struct("NTFS non-resident attribute", 64, {
  firstCluster: [16, claimed64],
  lastCluster: [24, claimed64],
  runsOffset: [32, u16],
  unitLog2: [34, u8],
  allocatedBytes: [40, claimed64],
  dataBytes: [48, claimed64],
  validBytes: [56, claimed64],
});

/** An entry of an attribute list: which record has a piece of which attribute. */
export const listEntry = new Struct("NTFS attribute list entry", 26, {
  type: [0, u32],
  lengthBytes: [4, u16],
  nameUnits: [6, u8],
  nameOffset: [7, u8],
  firstCluster: [8, claimed64],
  recordLow: [16, u32],
  recordHigh: [20, u16],
  sequence: [22, u16],
  id: [24, u16],
});

/** The value of $VOLUME_INFORMATION. */
export const volumeInformation = new Struct("NTFS volume information", 12, {
  major: [8, u8],
  minor: [9, u8],
  flags: [10, u16],
});

/** The value of $STANDARD_INFORMATION, as far as every version has it. Times are 100 ns since 1601. */
export const standardInformation = new Struct("NTFS standard information", 36, {
  created: [0, bits64],
  modified: [8, bits64],
  changed: [16, bits64],
  accessed: [24, bits64],
  attributes: [32, u32],
});

/** The value of $INDEX_ROOT, with the header of the entries in it. */
export const indexRoot = new Struct("NTFS index root", 32, {
  type: [0, u32],
  collation: [4, u32],
  blockBytes: [8, u32],
  entriesOffset: [16, u32],
  entriesBytes: [20, u32],
  allocatedBytes: [24, u32],
  flags: [28, u8],
});

/** A block of $INDEX_ALLOCATION, with the header of the entries in it. */
export const indexBlock = new Struct("NTFS index block", 40, {
  signature: [0, u32],
  fixupOffset: [4, u16],
  fixupCount: [6, u16],
  ownBlock: [16, claimed64],
  entriesOffset: [24, u32],
  entriesBytes: [28, u32],
  allocatedBytes: [32, u32],
  flags: [36, u8],
});
export const indexSignature = 0x58444e49; // "INDX"

/** An entry of a directory's index; behind it a file name, but in the last one. */
export const indexEntry = new Struct("NTFS index entry", 16, {
  recordLow: [0, u32],
  recordHigh: [4, u16],
  sequence: [6, u16],
  lengthBytes: [8, u16],
  keyBytes: [10, u16],
  flags: [12, u16],
});
export const entryFlags = { hasChild: 1, last: 2 } as const;

/** The value of $FILE_NAME, and the key of a directory's index. */
export const fileName = new Struct("NTFS file name", 66, {
  parentLow: [0, u32],
  parentHigh: [4, u16],
  parentSequence: [6, u16],
  attributes: [56, u32],
  nameUnits: [64, u8],
  nameSpace: [65, u8],
});
export const nameSpaces = { posix: 0, windows: 1, dos: 2, windowsAndDos: 3 } as const;

/** The value of $REPARSE_POINT. */
export const reparsePoint = new Struct("NTFS reparse point", 8, {
  tag: [0, u32],
  dataBytes: [4, u16],
});

/** A page of $LogFile that tells where to begin reading it, with the area in it that says whether it was closed. */
export const restartPage = new Struct("NTFS restart page", 30, {
  signature: [0, u32],
  fixupOffset: [4, u16],
  fixupCount: [6, u16],
  systemPageBytes: [16, u32],
  areaOffset: [24, u16],
});
export const restartArea = new Struct("NTFS restart area", 48, {
  lastNumber: [0, bits64],
  clientsInUse: [12, u16],
  flags: [14, u16],
});

export const attributeTypes = {
  standardInformation: 0x10,
  list: 0x20,
  fileName: 0x30,
  volumeName: 0x60,
  volumeInformation: 0x70,
  data: 0x80,
  indexRoot: 0x90,
  indexAllocation: 0xa0,
  bitmap: 0xb0,
  reparsePoint: 0xc0,
  end: 0xffffffff,
} as const;

/** The records of the master file table that belong to the volume itself. */
export const recordNumbers = {
  mft: 0,
  mirror: 1,
  log: 2,
  volume: 3,
  root: 5,
  bitmap: 6,
  boot: 7,
  badClusters: 8,
  upcase: 10,
  /** The first that need not belong to the volume itself; those before are hidden. */
  firstUser: 16,
} as const;

/** What indexes of file names, and all that belongs to them, are called. */
export const directoryIndex = "$I30";
