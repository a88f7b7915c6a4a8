import { bytes, Struct, type StructRecord, u16, u32 } from "../../bytes/index.ts";
import type { EntryKind, Timestamp } from "../../tree/index.ts";

/** Linux kernel documentation, filesystems/ext4/inodes.rst: the 128 bytes that every inode has. */
export const inodeBase = new Struct("ext inode", 128, {
  mode: [0x00, u16],
  uidLow: [0x02, u16],
  sizeLow: [0x04, u32],
  accessTime: [0x08, u32],
  changeTime: [0x0c, u32],
  modifyTime: [0x10, u32],
  deletionTime: [0x14, u32],
  gidLow: [0x18, u16],
  linkCount: [0x1a, u16],
  blockCountLow: [0x1c, u32],
  flags: [0x20, u32],
  versionLow: [0x24, u32],
  block: [0x28, bytes(60)],
  generation: [0x64, u32],
  xattrBlockLow: [0x68, u32],
  sizeHigh: [0x6c, u32],
  blockCountHigh: [0x74, u16],
  xattrBlockHigh: [0x76, u16],
  uidHigh: [0x78, u16],
  gidHigh: [0x7a, u16],
  checksumLow: [0x7c, u16],
});

/** The part after the first 128 bytes; how much of it counts is in `extraSize`. */
export const inodeExtra = new Struct("ext inode extra", 32, {
  extraSize: [0x00, u16],
  checksumHigh: [0x02, u16],
  changeTimeExtra: [0x04, u32],
  modifyTimeExtra: [0x08, u32],
  accessTimeExtra: [0x0c, u32],
  creationTime: [0x10, u32],
  creationTimeExtra: [0x14, u32],
  versionHigh: [0x18, u32],
  projectId: [0x1c, u32],
});

export type InodeBase = StructRecord<typeof inodeBase>;
export type InodeExtra = StructRecord<typeof inodeExtra>;

export const inodeBaseBytes = 128;
/** How much of `inodeExtra` a new inode of 256 bytes uses, as mke2fs and the kernel make it. */
export const newExtraSizeBytes = 32;

export const rootInode = 2;
export const resizeInode = 7;
export const journalInode = 8;
/** The first inode number for ordinary files in a new file system. */
export const firstOrdinaryInode = 11;

/** Bits of `flags`. */
export const inodeFlag = {
  compressed: 0x4,
  noDump: 0x40,
  immutable: 0x10,
  append: 0x20,
  encrypted: 0x800,
  indexedDirectory: 0x1000,
  huge: 0x40000,
  extents: 0x80000,
  verity: 0x100000,
  xattrInode: 0x200000,
  inlineData: 0x10000000,
  projectInherit: 0x20000000,
  caseFolded: 0x40000000,
} as const;

/** The file type in the upper four bits of the mode. */
const typeOfKind: Readonly<Record<EntryKind, number>> = {
  fifo: 0x1000,
  character: 0x2000,
  directory: 0x4000,
  block: 0x6000,
  file: 0x8000,
  symlink: 0xa000,
  socket: 0xc000,
};

/** The file type byte of a directory entry. */
export const directoryTypeOfKind: Readonly<Record<EntryKind, number>> = {
  file: 1,
  directory: 2,
  character: 3,
  block: 4,
  fifo: 5,
  socket: 6,
  symlink: 7,
};

const kindOfType = new Map(Object.entries(typeOfKind).map(([kind, type]) => [type, kind as EntryKind]));

/** The mode word of an inode: type and 12 permission bits. */
export function inodeMode(kind: EntryKind, permissions: number): number {
  return typeOfKind[kind] | (permissions & 0xfff);
}

/** The kind of file that a mode word names, undefined where it names none. */
export function kindOfMode(mode: number): EntryKind | undefined {
  return kindOfType.get(mode & 0xf000);
}

const epochSpan = 2 ** 32;

/**
 * A time in its two words: signed seconds, then two more bits of seconds below 30 bits of nanoseconds
 * (inodes.rst, "Inode Timestamps"): 1901 to 2446. Without the extra word 1901 to 2038 and whole seconds.
 * Times outside are moved to the nearest that can be kept.
 */
export function encodeTime(time: Timestamp, hasExtra: boolean): { readonly seconds: number; readonly extra: number } {
  const highest = hasExtra ? 3 * epochSpan + 0x7fffffff : 0x7fffffff;
  const seconds = Math.max(-0x80000000, Math.min(highest, time.seconds));
  const epoch = Math.floor((seconds + 0x80000000) / epochSpan);
  const nanoseconds = seconds === time.seconds ? time.nanoseconds : 0;
  return { seconds: seconds >>> 0, extra: hasExtra ? (nanoseconds * 4 + epoch) >>> 0 : 0 };
}

export function decodeTime(seconds: number, extra: number): Timestamp {
  return { seconds: (seconds | 0) + (extra & 3) * epochSpan, nanoseconds: extra >>> 2 };
}
