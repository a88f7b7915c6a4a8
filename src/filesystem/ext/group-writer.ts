import { Bitmap, crc16, crc32c } from "../../bytes/index.ts";
import { checksumNumber } from "./checksum.ts";
import { groupStart, hasSuperblock } from "./geometry.ts";
import {
  groupBlocksUninitialised,
  groupChecksumAt,
  groupDescriptor32,
  groupDescriptor64,
  groupInodesUninitialised,
  groupInodeTableZeroed,
} from "./group-descriptor.ts";
import { firstOrdinaryInode } from "./inode.ts";
import { encodeSuperblock } from "./superblock-encoder.ts";
import { superblockAt } from "./superblock.ts";
import type { ExtVolume } from "./volume.ts";

/** Writes everything that sums a file system up: bitmaps, group descriptors, superblock, and their copies. */
export async function writeGroups(volume: ExtVolume): Promise<void> {
  const { geometry } = volume;
  const blockSums = await writeBlockBitmaps(volume);
  const inodes = new InodeUse(volume);
  const inodeSums = await writeInodeBitmaps(volume, inodes);
  const descriptors = new Uint8Array(geometry.descriptorBlocks * geometry.blockSizeBytes);
  for (let group = 0; group < geometry.groupCount; group++) {
    const at = group * geometry.descriptorSizeBytes;
    encodeDescriptor(volume, descriptors.subarray(at, at + geometry.descriptorSizeBytes), {
      group,
      inodes,
      blockSum: blockSums[group],
      inodeSum: inodeSums[group],
    });
  }
  await writeCopies(volume, descriptors, inodes.freeInAll);
}

const hasDescriptorChecksums = (volume: ExtVolume): boolean => {
  return volume.checksumSeed !== undefined || volume.has("uninit_bg");
};

/** Gives the checksum of each bitmap, undefined for those that a flag stands for. */
async function writeBlockBitmaps(volume: ExtVolume): Promise<(number | undefined)[]> {
  const { geometry, blocks } = volume;
  const sums: (number | undefined)[] = [];
  const mayOmit = hasDescriptorChecksums(volume);
  for (let group = 0; group < geometry.groupCount; group++) {
    const isEdge = group === 0 || group === geometry.groupCount - 1;
    if (mayOmit && !isEdge && blocks.hasOnlyOwnStructures(group)) {
      sums.push(undefined);
      continue;
    }
    const bitmap = blocks.touchedBitmap(group) ?? blocks.initialBitmap(group);
    const whole = new Bitmap(geometry.blocksPerGroup, bitmap.bytes);
    whole.setRange(bitmap.length, geometry.blocksPerGroup - bitmap.length);
    await volume.putBlock(geometry.blockBitmaps[group] ?? 0, bitmap.bytes);
    sums.push(crc32c(bitmap.bytes, volume.checksumSeed));
  }
  return sums;
}

/** Which inodes are in use, group by group. */
class InodeUse {
  readonly #perGroup: number;
  readonly #last: number;
  readonly #freed: readonly number[];
  readonly freeInAll: number;

  constructor(volume: ExtVolume) {
    this.#perGroup = volume.geometry.inodesPerGroup;
    this.#last = volume.lastInode;
    this.#freed = volume.freedInodes;
    this.freeInAll = volume.geometry.inodeCount - volume.inodesTaken;
  }

  /** How many inodes of the group up to the last one in use; none after it was ever written. */
  reached(group: number): number {
    const last = Math.max(this.#last, firstOrdinaryInode - 1);
    return Math.max(0, Math.min(this.#perGroup, last - group * this.#perGroup));
  }

  freedIn(group: number): number[] {
    const first = group * this.#perGroup + 1;
    return this.#freed.filter((inode) => inode >= first && inode < first + this.#perGroup).map((n) => n - first);
  }

  free(group: number): number {
    return this.#perGroup - this.reached(group) + this.freedIn(group).length;
  }
}

async function writeInodeBitmaps(volume: ExtVolume, inodes: InodeUse): Promise<(number | undefined)[]> {
  const { geometry } = volume;
  const sums: (number | undefined)[] = [];
  const mayOmit = hasDescriptorChecksums(volume);
  for (let group = 0; group < geometry.groupCount; group++) {
    if (mayOmit && inodes.reached(group) === 0) {
      sums.push(undefined);
      continue;
    }
    const bitmap = new Bitmap(geometry.blockSizeBytes * 8);
    bitmap.setRange(0, inodes.reached(group));
    for (const freed of inodes.freedIn(group)) bitmap.clear(freed);
    bitmap.setRange(geometry.inodesPerGroup, bitmap.length - geometry.inodesPerGroup);
    await volume.putBlock(geometry.inodeBitmaps[group] ?? 0, bitmap.bytes);
    sums.push(crc32c(bitmap.bytes, volume.checksumSeed, 0, geometry.inodesPerGroup / 8));
  }
  return sums;
}

interface DescriptorFacts {
  readonly group: number;
  readonly inodes: InodeUse;
  readonly blockSum: number | undefined;
  readonly inodeSum: number | undefined;
}

function encodeDescriptor(volume: ExtVolume, into: Uint8Array, facts: DescriptorFacts): void {
  const { geometry, blocks, profile } = volume;
  const { group, inodes, blockSum, inodeSum } = facts;
  const low16 = (value: number): number => value % 0x10000;
  const high16 = (value: number): number => Math.floor(value / 0x10000) % 0x10000;
  const low32 = (value: number): number => value % 2 ** 32;
  const high32 = (value: number): number => Math.floor(value / 2 ** 32);
  const sumOf = (sum: number | undefined): number => (volume.checksumSeed === undefined ? 0 : (sum ?? 0));
  const hasChecksum = hasDescriptorChecksums(volume);
  const blockBitmap = geometry.blockBitmaps[group] ?? 0;
  const inodeBitmap = geometry.inodeBitmaps[group] ?? 0;
  const inodeTable = geometry.inodeTables[group] ?? 0;
  const freeBlocks = blocks.freeInGroup(group);
  const freeInodes = inodes.free(group);
  const directories = volume.directoriesInGroup[group] ?? 0;
  const unusedInodes = hasChecksum ? geometry.inodesPerGroup - inodes.reached(group) : 0;
  const flags =
    (blockSum === undefined ? groupBlocksUninitialised : 0) |
    (inodeSum === undefined ? groupInodesUninitialised : 0) |
    (hasChecksum && !profile.lazyInodeTables ? groupInodeTableZeroed : 0);
  groupDescriptor32.patch(into, {
    blockBitmapLow: low32(blockBitmap),
    inodeBitmapLow: low32(inodeBitmap),
    inodeTableLow: low32(inodeTable),
    freeBlockCountLow: low16(freeBlocks),
    freeInodeCountLow: low16(freeInodes),
    directoryCountLow: low16(directories),
    flags,
    blockBitmapChecksumLow: low16(sumOf(blockSum)),
    inodeBitmapChecksumLow: low16(sumOf(inodeSum)),
    unusedInodeCountLow: low16(unusedInodes),
  });
  if (geometry.descriptorSizeBytes >= groupDescriptor64.sizeBytes) {
    groupDescriptor64.patch(into, {
      blockBitmapHigh: high32(blockBitmap),
      inodeBitmapHigh: high32(inodeBitmap),
      inodeTableHigh: high32(inodeTable),
      freeBlockCountHigh: high16(freeBlocks),
      freeInodeCountHigh: high16(freeInodes),
      directoryCountHigh: high16(directories),
      unusedInodeCountHigh: high16(unusedInodes),
      blockBitmapChecksumHigh: high16(sumOf(blockSum)),
      inodeBitmapChecksumHigh: high16(sumOf(inodeSum)),
    });
  }
  if (hasChecksum) groupDescriptor32.patch(into, { checksum: descriptorChecksum(volume, into, group) });
}

/** Over the group's number and the descriptor without its checksum: CRC32C's lower half, or with `uninit_bg` CRC-16. */
function descriptorChecksum(volume: ExtVolume, descriptor: Uint8Array, group: number): number {
  if (volume.checksumSeed !== undefined) {
    return crc32c(descriptor, checksumNumber(group, volume.checksumSeed)) & 0xffff;
  }
  const number = new Uint8Array(4);
  new DataView(number.buffer).setUint32(0, group, true);
  const start = crc16(number, crc16(volume.profile.uuidBytes));
  const front = crc16(descriptor.subarray(0, groupChecksumAt), start);
  return crc16(descriptor.subarray(groupChecksumAt + 2), front);
}

async function writeCopies(volume: ExtVolume, descriptors: Uint8Array, freeInodes: number): Promise<void> {
  const { geometry } = volume;
  const isSparse = volume.has("sparse_super");
  for (let group = geometry.groupCount - 1; group >= 0; group--) {
    if (!hasSuperblock(group, isSparse)) continue;
    const start = groupStart(geometry, group);
    await volume.out.put((start + 1) * geometry.blockSizeBytes, descriptors);
    const superblockPlace = group === 0 ? superblockAt : start * geometry.blockSizeBytes;
    await volume.out.put(superblockPlace, encodeSuperblock(volume, { group, freeInodes }));
  }
}
