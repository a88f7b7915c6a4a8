import { bytes, crc32c, formatSize, Struct, u16be, u32, u32be, u8, uuid } from "../../bytes/index.ts";
import { readBytes, type BlockReader } from "../../device/index.ts";
import { claimed64be } from "../claimed-count.ts";
import {
  bytesAt,
  damaged,
  isPowerOfTwo,
  namesOfBits,
  nothingKnown,
  paddedText,
  Remarks,
  uuidOrNone,
  type Recognised,
  type Recogniser,
} from "./recognised.ts";

const superblockMagic = 0x58465342; // "XFSB"
const freeSpaceMagic = 0x58414746; // "XAGF"

/** XFS Algorithms & Data Structures, 3rd edition, "Superblocks": big-endian but for the checksum. */
export const xfsSuperblock = new Struct("XFS superblock", 264, {
  magic: [0, u32be],
  blockSizeBytes: [4, u32be],
  dataBlocks: [8, claimed64be],
  realtimeBlocks: [16, claimed64be],
  uuid: [32, uuid],
  logStart: [48, claimed64be],
  groupBlocks: [84, u32be],
  groupCount: [88, u32be],
  logBlocks: [96, u32be],
  version: [100, u16be],
  sectorBytes: [102, u16be],
  inodeBytes: [104, u16be],
  label: [108, bytes(12)],
  inProgress: [126, u8],
  freeBlocks: [144, claimed64be],
  features2: [200, u32be],
  readOnlyCompatible: [212, u32be],
  incompatible: [216, u32be],
  checksum: [224, u32],
});

/** The same, "AG Free Space Block". */
export const xfsFreeSpaceHeader = new Struct("XFS free space header", 224, {
  magic: [0, u32be],
  version: [4, u32be],
  number: [8, u32be],
  blockCount: [12, u32be],
  listCount: [48, u32be],
  freeBlocks: [52, u32be],
  treeBlocks: [60, u32be],
  checksum: [216, u32],
});

type Superblock = ReturnType<typeof xfsSuperblock.decode>;

const checksumVersion = 5;
const versionMask = 0xf;
const hasMoreBits = 0x8000;
const lazyCountBit = 0x2;
const metadataUuidBit = 0x4;
const needsRepairBit = 0x10;

/** More allocation groups than this are not summed up. */
const groupLimit = 65_536;

export const xfs: Recogniser = { first: recogniseXfs };

async function recogniseXfs(reader: BlockReader): Promise<Recognised | undefined> {
  const start = await bytesAt(reader, 0, 512);
  if (start === undefined || xfsSuperblock.get(start, "magic") !== superblockMagic) return undefined;
  const remarks = new Remarks();
  const first = xfsSuperblock.decode(start);
  if (!isPlausible(first)) {
    remarks.error("the XFS superblock is damaged: its sizes make no sense");
    return nothingKnown("xfs", reader, remarks);
  }
  const isFirstSound = await isSealed(reader, 0, first);
  const superblock = isFirstSound ? first : ((await copyOf(reader, first)) ?? first);
  if (!isFirstSound) {
    const instead = superblock === first ? "" : ": the one of the second allocation group is used";
    remarks.error(`the checksum of the XFS superblock does not match${instead}`);
  }
  return described(reader, superblock, remarks);
}

function isPlausible({ blockSizeBytes, sectorBytes, groupBlocks, groupCount, dataBlocks }: Superblock): boolean {
  return (
    isPowerOfTwo(blockSizeBytes, 512, 65_536) &&
    isPowerOfTwo(sectorBytes, 512, 32_768) &&
    groupCount > 0 &&
    groupBlocks > 0 &&
    dataBlocks > groupBlocks * (groupCount - 1) &&
    dataBlocks <= groupBlocks * groupCount
  );
}

function hasChecksums({ version }: Superblock): boolean {
  return (version & versionMask) >= checksumVersion;
}

/** Whether the checksum of a superblock matches, where it has one. */
async function isSealed(reader: BlockReader, at: number, superblock: Superblock): Promise<boolean> {
  if (!hasChecksums(superblock)) return true;
  const sector = await bytesAt(reader, at, superblock.sectorBytes);
  if (sector === undefined) return false;
  xfsSuperblock.patch(sector, { checksum: 0 });
  return checksumOf(sector) === superblock.checksum;
}

function checksumOf(sector: Uint8Array): number {
  return ~crc32c(sector) >>> 0;
}

/** The superblock of the second allocation group, if it is sound. Of the others mkfs.xfs leaves all "in progress". */
async function copyOf(reader: BlockReader, first: Superblock): Promise<Superblock | undefined> {
  const at = first.groupBlocks * first.blockSizeBytes;
  const start = await bytesAt(reader, at, 512);
  if (start === undefined || xfsSuperblock.get(start, "magic") !== superblockMagic) return undefined;
  const copy = xfsSuperblock.decode(start);
  return isPlausible(copy) && (await isSealed(reader, at, copy)) ? { ...copy, inProgress: 0 } : undefined;
}

async function described(reader: BlockReader, superblock: Superblock, remarks: Remarks): Promise<Recognised> {
  const { blockSizeBytes, dataBlocks, incompatible, logStart, realtimeBlocks } = superblock;
  const freeBlocks = (await remarks.attempt(() => countFree(reader, superblock))) ?? superblock.freeBlocks;
  if (superblock.inProgress !== 0) remarks.warn("XFS was not made to its end");
  if (hasChecksums(superblock) && (incompatible & needsRepairBit) !== 0) remarks.error("XFS is marked for xfs_repair");
  if (logStart === 0) remarks.note("its log is on another device");
  if (realtimeBlocks > 0) remarks.note(`its realtime device has ${formatSize(realtimeBlocks * blockSizeBytes)} more`);
  return {
    kind: "xfs",
    label: paddedText(superblock.label),
    uuid: uuidOrNone(superblock.uuid),
    sizeBytes: dataBlocks * blockSizeBytes,
    blockSizeBytes,
    usedBytes: (dataBlocks - freeBlocks) * blockSizeBytes,
    freeBytes: freeBlocks * blockSizeBytes,
    features: featuresOf(superblock),
    ...remarks.told,
  };
}

/** In the words of mkfs.xfs. */
function featuresOf(superblock: Superblock): string[] {
  if (!hasChecksums(superblock)) return [];
  const { readOnlyCompatible, incompatible } = superblock;
  return [
    "crc",
    ...namesOfBits(readOnlyCompatible, { 1: "finobt", 2: "rmapbt", 4: "reflink", 8: "inobtcount" }),
    ...namesOfBits(incompatible, { 2: "sparse", [metadataUuidBit]: "meta_uuid", 8: "bigtime", 0x20: "nrext64" }),
  ];
}

/**
 * The free blocks of all allocation groups together: where counters are lazy, as nearly everywhere, the superblock's own
 * is right only after a clean unmount.
 */
async function countFree(reader: BlockReader, superblock: Superblock): Promise<number> {
  const { version, features2, freeBlocks, groupCount, groupBlocks, blockSizeBytes } = superblock;
  const isLazy = hasChecksums(superblock) || ((version & hasMoreBits) !== 0 && (features2 & lazyCountBit) !== 0);
  if (!isLazy || groupCount > groupLimit || superblock.dataBlocks * blockSizeBytes > reader.sizeBytes)
    return freeBlocks;
  let sum = 0;
  for (let number = 0; number < groupCount; number++) {
    const at = number * groupBlocks * blockSizeBytes + superblock.sectorBytes;
    const sector = await readBytes(reader, at, superblock.sectorBytes);
    const header = xfsFreeSpaceHeader.decode(sector);
    xfsFreeSpaceHeader.patch(sector, { checksum: 0 });
    const isSound =
      header.magic === freeSpaceMagic &&
      header.number === number &&
      (!hasChecksums(superblock) || checksumOf(sector) === header.checksum);
    if (!isSound) throw damaged(`the free space of XFS allocation group ${number}`, "its header is damaged");
    sum += header.freeBlocks + header.listCount + header.treeBlocks;
  }
  return sum;
}
