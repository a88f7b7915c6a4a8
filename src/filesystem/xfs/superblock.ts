import type { StructRecord } from "../../bytes/index.ts";
import { readBytes, type BlockReader } from "../../device/index.ts";
import { isSealed } from "./checksum.ts";
import { xfsSuperblock } from "./records.ts";

export type XfsSuperblock = StructRecord<typeof xfsSuperblock>;

const superblockMagic = 0x58465342; // "XFSB"
const checksumVersion = 5;
const versionMask = 0xf;
const hasMoreBits = 0x8000;
const lazyCountBit = 0x2;
const smallestSectorBytes = 512;

/** The superblock of a device that holds XFS. */
export interface FoundSuperblock {
  /** Undefined where what it says cannot be. */
  readonly superblock: XfsSuperblock | undefined;
  /** What is wrong with the first one. */
  readonly problem: string | undefined;
  /** Whether its checksum, or that of the copy that is used instead, is right. */
  readonly isSound: boolean;
}

/** The first superblock, or a copy where the first is torn; undefined where no superblock begins the device. */
export async function findSuperblock(reader: BlockReader): Promise<FoundSuperblock | undefined> {
  const first = await superblockAt(reader, 0);
  if (first === undefined) return undefined;
  if (!isPlausible(first)) {
    const problem = "the XFS superblock is damaged: its sizes make no sense";
    return { superblock: undefined, problem, isSound: false };
  }
  if (await isSuperblockSealed(reader, 0, first)) return { superblock: first, problem: undefined, isSound: true };
  const copy = await copyOf(reader, first);
  const instead = copy === undefined ? "" : ": a copy is used";
  const problem = `the checksum of the XFS superblock does not match${instead}`;
  return { superblock: copy ?? first, problem, isSound: copy !== undefined };
}

/**
 * A sound copy of the superblock. mkfs.xfs leaves all "in progress", and tells in two alone which inode is the root: in
 * that of the last group and in one in the middle. It makes those of a realtime device next to the root.
 */
async function copyOf(reader: BlockReader, first: XfsSuperblock): Promise<XfsSuperblock | undefined> {
  const last = first.groupCount - 1;
  let found: XfsSuperblock | undefined;
  for (const group of [1, Math.floor(last / 2), last]) {
    const at = group * first.groupBlocks * first.blockSizeBytes;
    const copy = group < 1 ? undefined : await superblockAt(reader, at);
    if (copy === undefined || !isPlausible(copy) || !(await isSuperblockSealed(reader, at, copy))) continue;
    found = { ...copy, inProgress: 0 };
    if (Number.isSafeInteger(copy.rootInode)) break;
  }
  if (found === undefined || !Number.isSafeInteger(found.rootInode)) return found;
  return { ...found, realtimeBitmapInode: found.rootInode + 1, realtimeSummaryInode: found.rootInode + 2 };
}

/** Whether the copy of the superblock in a group can stand in for it. */
export async function isCopySound(reader: BlockReader, first: XfsSuperblock, group: number): Promise<boolean> {
  const at = group * first.groupBlocks * first.blockSizeBytes;
  const copy = await superblockAt(reader, at);
  if (copy === undefined || !(await isSuperblockSealed(reader, at, copy))) return false;
  return copy.groupBlocks === first.groupBlocks && copy.blockSizeBytes === first.blockSizeBytes;
}

async function superblockAt(reader: BlockReader, at: number): Promise<XfsSuperblock | undefined> {
  if (at + smallestSectorBytes > reader.sizeBytes) return undefined;
  const start = await readBytes(reader, at, smallestSectorBytes);
  return xfsSuperblock.get(start, "magic") === superblockMagic ? xfsSuperblock.decode(start) : undefined;
}

function isPlausible({ blockSizeBytes, sectorBytes, groupBlocks, groupCount, dataBlocks }: XfsSuperblock): boolean {
  return (
    isPowerOfTwo(blockSizeBytes, 512, 65_536) &&
    isPowerOfTwo(sectorBytes, smallestSectorBytes, 32_768) &&
    groupCount > 0 &&
    groupBlocks > 0 &&
    dataBlocks > groupBlocks * (groupCount - 1) &&
    dataBlocks <= groupBlocks * groupCount
  );
}

/** True for 1, 2, 4, 8, … from `lowest` to `highest`. */
export function isPowerOfTwo(value: number, lowest: number, highest: number): boolean {
  return value >= lowest && value <= highest && Number.isInteger(Math.log2(value));
}

export function versionOf({ version }: XfsSuperblock): number {
  return version & versionMask;
}

export function hasChecksums(superblock: XfsSuperblock): boolean {
  return versionOf(superblock) >= checksumVersion;
}

/** The second word of features of version 4, which is there only if the first says so. */
export function moreFeatures({ version, features2 }: XfsSuperblock): number {
  return (version & hasMoreBits) === 0 ? 0 : features2;
}

/** Whether the superblock's own counters are right only after a clean unmount. */
export function isLazilyCounted(superblock: XfsSuperblock): boolean {
  return hasChecksums(superblock) || (moreFeatures(superblock) & lazyCountBit) !== 0;
}

/** Whether the checksum of a superblock matches, where it has one. */
async function isSuperblockSealed(reader: BlockReader, at: number, superblock: XfsSuperblock): Promise<boolean> {
  if (!hasChecksums(superblock)) return true;
  if (at + superblock.sectorBytes > reader.sizeBytes) return false;
  return isSealed(await readBytes(reader, at, superblock.sectorBytes), xfsSuperblock.fields.checksum[0]);
}
