import { array, bits64, bytes, Struct, u16, u32, u8 } from "../../bytes/index.ts";

/*
 * The records of ECMA-167 (3rd edition) as UDF 1.02 to 2.60 uses them. All numbers are little-endian.
 */

/** ECMA-167 3/7.2: what every descriptor begins with. */
export const descriptorTag = new Struct("UDF descriptor tag", 16, {
  id: [0, u16],
  version: [2, u16],
  checksum: [4, u8],
  serialNumber: [6, u16],
  crc: [8, u16],
  crcBytes: [10, u16],
  location: [12, u32],
});

/** The ids of descriptors. */
export const tagIds = {
  primaryVolume: 1,
  anchor: 2,
  volumePointer: 3,
  partition: 5,
  logicalVolume: 6,
  terminating: 8,
  integrity: 9,
  fileSet: 256,
  fileIdentifier: 257,
  allocationExtent: 258,
  fileEntry: 261,
  spaceBitmap: 264,
  extendedFileEntry: 266,
} as const;

/** ECMA-167 3/10.2. */
export const anchor = new Struct("UDF anchor", 512, {
  mainBytes: [16, u32],
  mainBlock: [20, u32],
  reserveBytes: [24, u32],
  reserveBlock: [28, u32],
});

/** ECMA-167 3/10.3: the descriptors go on elsewhere. */
export const volumePointer = new Struct("UDF volume descriptor pointer", 512, {
  sequence: [16, u32],
  nextBytes: [20, u32],
  nextBlock: [24, u32],
});

/** ECMA-167 3/10.1. */
export const primaryVolume = new Struct("UDF primary volume", 512, {
  sequence: [16, u32],
  volumeId: [24, bytes(32)],
  volumeSetId: [72, bytes(128)],
});

/** ECMA-167 3/10.5; the contents use is a partition header (4/14.3). */
export const partition = new Struct("UDF partition", 512, {
  sequence: [16, u32],
  number: [22, u16],
  contentsId: [25, bytes(23)],
  unallocatedBitmapBytes: [64, u32],
  unallocatedBitmapBlock: [68, u32],
  accessType: [184, u32],
  startBlock: [188, u32],
  blockCount: [192, u32],
});

/** ECMA-167 3/10.6, up to the partition maps. */
export const logicalVolume = new Struct("UDF logical volume", 440, {
  sequence: [16, u32],
  label: [84, bytes(128)],
  blockSizeBytes: [212, u32],
  domainId: [217, bytes(23)],
  revision: [240, u16],
  fileSet: [248, bytes(16)],
  mapBytes: [264, u32],
  mapCount: [268, u32],
  integrityBytes: [432, u32],
  integrityBlock: [436, u32],
});

/** ECMA-167 3/10.7.2. */
export const plainMap = new Struct("UDF partition map of type 1", 6, {
  type: [0, u8],
  lengthBytes: [1, u8],
  partitionNumber: [4, u16],
});

/** UDF 2.60 §2.2.8, §2.2.9, §2.2.10: what the maps of type 2 have in common. */
export const namedMap = new Struct("UDF partition map of type 2", 64, {
  type: [0, u8],
  lengthBytes: [1, u8],
  id: [5, bytes(23)],
  partitionNumber: [38, u16],
});
export const sparableMap = new Struct("UDF sparable partition map", 64, {
  packetBlocks: [40, u16],
  tableCount: [42, u8],
  tableBytes: [44, u32],
  tableBlocks: [48, array(u32, 4)],
});
export const metadataMap = new Struct("UDF metadata partition map", 64, {
  fileBlock: [40, u32],
  mirrorBlock: [44, u32],
});

/** UDF 2.60 §2.2.12, up to the entries. */
export const sparingTable = new Struct("UDF sparing table", 56, {
  id: [17, bytes(23)],
  entryCount: [48, u16],
});
export const sparingEntry = new Struct("UDF sparing entry", 8, { original: [0, u32], mapped: [4, u32] });

/** UDF 2.60 §2.2.11, up to the entries. */
export const virtualTable = new Struct("UDF virtual allocation table", 152, { headerBytes: [0, u16] });

/** ECMA-167 3/10.10, up to the table of free space. */
export const integrity = new Struct("UDF logical volume integrity", 80, {
  type: [28, u32],
  nextBytes: [32, u32],
  nextBlock: [36, u32],
  partitionCount: [72, u32],
});

/** ECMA-167 4/14.14.1. */
export const shortExtent = new Struct("UDF short allocation descriptor", 8, { length: [0, u32], block: [4, u32] });
/** ECMA-167 4/14.14.2. */
export const longExtent = new Struct("UDF long allocation descriptor", 16, {
  length: [0, u32],
  block: [4, u32],
  partition: [8, u16],
});
/** ECMA-167 4/14.14.3, which UDF does not use. */
export const extendedExtent = new Struct("UDF extended allocation descriptor", 20, {
  length: [0, u32],
  block: [12, u32],
  partition: [16, u16],
});

/** ECMA-167 4/14.1. */
export const fileSet = new Struct("UDF file set", 512, { root: [400, bytes(16)], nextExtent: [448, bytes(16)] });

/** ECMA-167 4/14.9, up to the extended attributes; the ICB tag (4/14.6) included. */
export const fileEntry = new Struct("UDF file entry", 176, {
  strategy: [20, u16],
  fileType: [27, u8],
  icbFlags: [34, u16],
  uid: [36, u32],
  gid: [40, u32],
  permissions: [44, u32],
  links: [48, u16],
  sizeBytes: [56, bits64],
  recordedBlocks: [64, bits64],
  accessed: [72, bytes(12)],
  modified: [84, bytes(12)],
  changed: [96, bytes(12)],
  attributeBytes: [168, u32],
  descriptorBytes: [172, u32],
});

/** ECMA-167 4/14.17, up to the extended attributes. */
export const extendedFileEntry = new Struct("UDF extended file entry", 216, {
  strategy: [20, u16],
  fileType: [27, u8],
  icbFlags: [34, u16],
  uid: [36, u32],
  gid: [40, u32],
  permissions: [44, u32],
  links: [48, u16],
  sizeBytes: [56, bits64],
  recordedBlocks: [72, bits64],
  accessed: [80, bytes(12)],
  modified: [92, bytes(12)],
  created: [104, bytes(12)],
  changed: [116, bytes(12)],
  attributeBytes: [208, u32],
  descriptorBytes: [212, u32],
});

/** ECMA-167 4/14.10.1: what the extended attributes begin with. */
export const attributeHeader = new Struct("UDF extended attribute header", 24, {});
/** ECMA-167 4/14.10.2. */
export const attribute = new Struct("UDF extended attribute", 12, { type: [0, u32], lengthBytes: [8, u32] });
/** ECMA-167 4/14.10.7: the numbers of a device. */
export const deviceAttribute = new Struct("UDF device specification", 24, { major: [16, u32], minor: [20, u32] });
export const deviceAttributeType = 12;

/** ECMA-167 4/14.4, up to what the implementation uses. */
export const fileIdentifier = new Struct("UDF file identifier", 38, {
  characteristics: [18, u8],
  nameBytes: [19, u8],
  icb: [20, bytes(16)],
  useBytes: [36, u16],
});

/** ECMA-167 4/14.5, up to the descriptors. */
export const allocationExtent = new Struct("UDF allocation extent", 24, { descriptorBytes: [20, u32] });

/** ECMA-167 4/14.12, up to the bits. */
export const spaceBitmap = new Struct("UDF space bitmap", 24, { bitCount: [16, u32], byteCount: [20, u32] });

/** ECMA-167 4/14.16.1, up to the name. */
export const pathComponent = new Struct("UDF path component", 4, { type: [0, u8], nameBytes: [1, u8] });

/** ECMA-167 1/7.3. */
export const timestamp = new Struct("UDF timestamp", 12, {
  typeAndZone: [0, u16],
  year: [2, u16],
  month: [4, u8],
  day: [5, u8],
  hour: [6, u8],
  minute: [7, u8],
  second: [8, u8],
  centiseconds: [9, u8],
  hundredMicroseconds: [10, u8],
  microseconds: [11, u8],
});
