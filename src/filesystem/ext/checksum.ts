import { crc32c } from "../../bytes/index.ts";

/**
 * The checksums of `metadata_csum` (Linux kernel documentation, filesystems/ext4/checksums.rst). All are CRC32C
 * without inversion; all but the superblock's own start from a seed made of the file system's UUID.
 */

const word = new Uint8Array(4);

/** Continues a checksum over a 32-bit little-endian number. */
export function checksumNumber(value: number, seed: number): number {
  word[0] = value;
  word[1] = value >>> 8;
  word[2] = value >>> 16;
  word[3] = value >>> 24;
  return crc32c(word, seed);
}

/** The seed of all checksums of a file system without `metadata_csum_seed`. */
export function checksumSeedOf(uuidBytes: Uint8Array): number {
  return crc32c(uuidBytes);
}

/** The seed of everything that belongs to one inode: its own checksum, extent blocks, directory blocks. */
export function inodeChecksumSeed(seed: number, inode: number, generation: number): number {
  return checksumNumber(generation, checksumNumber(inode, seed));
}

const checksumLowAt = 0x7c;
const extraSizeAt = 0x80;
const checksumHighAt = 0x82;
const zeros = new Uint8Array(4);

/** The checksum of a whole inode (`bytes[at..at+size)`), its own two fields taken as zero. */
export function inodeChecksum(bytes: Uint8Array, at: number, sizeBytes: number, inodeSeed: number): number {
  let crc = crc32c(bytes, inodeSeed, at, at + checksumLowAt);
  crc = crc32c(zeros, crc, 0, 2);
  crc = crc32c(bytes, crc, at + checksumLowAt + 2, at + Math.min(sizeBytes, extraSizeAt));
  if (sizeBytes <= extraSizeAt) return crc;
  if (!hasChecksumHigh(bytes, at)) return crc32c(bytes, crc, at + extraSizeAt, at + sizeBytes);
  crc = crc32c(bytes, crc, at + extraSizeAt, at + checksumHighAt);
  crc = crc32c(zeros, crc, 0, 2);
  return crc32c(bytes, crc, at + checksumHighAt + 2, at + sizeBytes);
}

/** Whether the extra part of this inode is long enough to hold the upper half of its checksum. */
export function hasChecksumHigh(bytes: Uint8Array, at: number): boolean {
  const extraSize = (bytes[at + extraSizeAt] ?? 0) | ((bytes[at + extraSizeAt + 1] ?? 0) << 8);
  return extraSize >= 4;
}

/** The checksum of an extent block, over all but the four bytes of its tail. */
export function extentBlockChecksum(block: Uint8Array, tailAt: number, inodeSeed: number): number {
  return crc32c(block, inodeSeed, 0, tailAt);
}

/** The checksum of a linear directory block, over all but its 12-byte tail. */
export function directoryBlockChecksum(block: Uint8Array, inodeSeed: number): number {
  return crc32c(block, inodeSeed, 0, block.length - 12);
}

/**
 * The checksum of an index block of a directory: its header and the `count` entries in use, then the tail's
 * reserved word, then zero in place of the checksum. `entriesAt` is where the count and limit stand.
 */
export function indexBlockChecksum(
  block: Uint8Array,
  entriesAt: number,
  count: number,
  limit: number,
  inodeSeed: number,
): number {
  const crc = crc32c(block, inodeSeed, 0, entriesAt + count * 8);
  const tailAt = entriesAt + limit * 8;
  return crc32c(zeros, crc32c(block, crc, tailAt, tailAt + 4), 0, 4);
}
