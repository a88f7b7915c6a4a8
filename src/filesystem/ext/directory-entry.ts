import { Struct, u16, u32, u8 } from "../../bytes/index.ts";

/** Linux kernel documentation, filesystems/ext4/directory.rst, "Linear (Classic) Directories": the part before the name. */
export const directoryEntry = new Struct("ext directory entry", 8, {
  inode: [0, u32],
  recordLength: [4, u16],
  nameLength: [6, u8],
  /** The kind of file with `filetype`, else the upper byte of the name's length (always 0: names have at most 255 bytes). */
  fileType: [7, u8],
});

export const directoryEntryHeaderBytes = 8;
export const nameLimitBytes = 255;

/** The last 12 bytes of a directory block with `metadata_csum`: an entry of no inode that holds the checksum. */
export const directoryTail = new Struct("ext directory tail", 12, {
  inode: [0, u32],
  recordLength: [4, u16],
  nameLength: [6, u8],
  fileType: [7, u8],
  checksum: [8, u32],
});

export const directoryTailBytes = 12;
export const directoryTailFileType = 0xde;

/** Length of an entry with a name of `nameBytes` bytes: a multiple of four. */
export function directoryRecordLength(nameBytes: number): number {
  return (directoryEntryHeaderBytes + nameBytes + 3) & ~3;
}

/** Where the index root's own header stands in the first block of an indexed directory, after `.` and `..`. */
export const indexRootInfoAt = 24;
/** Where the entries of an index root start. */
export const indexRootEntriesAt = 32;
/** Where the entries of an inner index block start, after an empty directory entry over the whole block. */
export const indexNodeEntriesAt = 8;
export const indexEntryBytes = 8;

/** The header of an index root. */
export const indexRootInfo = new Struct("ext directory index root", 8, {
  reserved: [0, u32],
  hashVersion: [4, u8],
  infoLength: [5, u8],
  indirectLevels: [6, u8],
  unusedFlags: [7, u8],
});

/** The first entry of an index block: how many entries there are and may be; its hash is zero by meaning. */
export const indexCount = new Struct("ext directory index count", 8, {
  limit: [0, u16],
  count: [2, u16],
  block: [4, u32],
});

export const indexEntry = new Struct("ext directory index entry", 8, {
  hash: [0, u32],
  block: [4, u32],
});

/** After the last possible entry of an index block with `metadata_csum`. */
export const indexTail = new Struct("ext directory index tail", 8, {
  reserved: [0, u32],
  checksum: [4, u32],
});

export const indexTailBytes = 8;
/** The most levels of inner blocks below a root: 1, or 2 with `large_dir`. */
export const indexLevelLimit = { plain: 1, largeDirectory: 2 } as const;
