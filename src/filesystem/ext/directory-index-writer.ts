import type { EntryKind } from "../../tree/index.ts";
import { indexBlockChecksum, inodeChecksumSeed } from "./checksum.ts";
import {
  directoryEntry,
  directoryRecordLength,
  indexCount,
  indexEntry,
  indexEntryBytes,
  indexLevelLimit,
  indexNodeEntriesAt,
  indexRootEntriesAt,
  indexRootInfo,
  indexRootInfoAt,
  indexTail,
  indexTailBytes,
} from "./directory-entry.ts";
import { hashName, hashVersion } from "./directory-hash.ts";
import { EntryPacker, sealDirectoryBlocks } from "./directory-entry-packer.ts";
import type { ExtVolume } from "./volume.ts";

/** A directory's own inode number and its parent's. */
interface DirectoryInodes {
  readonly inode: number;
  readonly parent: number;
}

interface HashedItem {
  readonly name: Uint8Array;
  readonly inode: number;
  readonly kind: EntryKind;
  readonly major: number;
  readonly minor: number;
}

interface IndexItem {
  readonly hash: number;
  readonly block: number;
}

/** Room left in each leaf, so that the first new names do not split it. */
const leafSlackPart = 1 / 8;

/**
 * Lays out a directory as a hash tree: root, inner nodes, leaves with the names in order of their hashes. Gives
 * undefined where there are more names than the levels allowed can index: a list is then right, if slow.
 */
export function layOutIndexedDirectory(
  volume: ExtVolume,
  directory: DirectoryInodes,
  items: readonly { readonly name: Uint8Array; readonly inode: number; readonly kind: EntryKind }[],
): Uint8Array | undefined {
  const hashed = sortByHash(volume, items);
  const { leaves, firstHashes } = packLeaves(volume, hashed);
  const sizes = indexSizes(volume);
  const nodeCounts = levelCounts(firstHashes.length, sizes, volume.has("large_dir"));
  if (nodeCounts === undefined) return undefined;

  const nodeBlocks = nodeCounts.reduce((sum, count) => sum + count, 0);
  const firstLeaf = 1 + nodeBlocks;
  const bytes = new Uint8Array((firstLeaf + firstHashes.length) * volume.blockSizeBytes);
  bytes.set(leaves, firstLeaf * volume.blockSizeBytes);
  sealDirectoryBlocks(volume, directory.inode, bytes, firstLeaf);

  let below: IndexItem[] = firstHashes.map((hash, n) => ({ hash, block: firstLeaf + n }));
  let nextNode = firstLeaf;
  for (const count of nodeCounts) {
    nextNode -= count;
    below = writeLevel(volume, directory.inode, { bytes, below, firstBlock: nextNode, perNode: sizes.perNode });
  }
  writeRoot(volume, directory, { bytes, below, levels: nodeCounts.length, limit: sizes.perRoot });
  return bytes;
}

function sortByHash(
  volume: ExtVolume,
  items: readonly { readonly name: Uint8Array; readonly inode: number; readonly kind: EntryKind }[],
): HashedItem[] {
  const hashed = items.map(({ name, inode, kind }) => {
    const hash = hashName(name, hashVersion.halfMd4, volume.profile.hashSeed);
    return { name, inode, kind, major: hash?.major ?? 0, minor: hash?.minor ?? 0 };
  });
  return hashed.sort((a, b) => a.major - b.major || a.minor - b.minor);
}

/** The leaves, and for each the hash with which it begins; odd where that hash began in the leaf before. */
function packLeaves(volume: ExtVolume, items: readonly HashedItem[]): { leaves: Uint8Array; firstHashes: number[] } {
  const packer = new EntryPacker(volume);
  const slackBytes = Math.floor(volume.blockSizeBytes * leafSlackPart);
  const firstHashes: number[] = [0];
  let lastMajor = -1;
  for (const { name, inode, kind, major } of items) {
    if (!packer.fits(name.length, slackBytes)) {
      packer.startBlock();
      firstHashes.push(major === lastMajor ? major + 1 : major);
    }
    packer.add(name, inode, kind);
    lastMajor = major;
  }
  return { leaves: packer.finish(), firstHashes };
}

function indexSizes(volume: ExtVolume): { readonly perRoot: number; readonly perNode: number } {
  const tail = volume.checksumSeed === undefined ? 0 : indexTailBytes;
  return {
    perRoot: Math.floor((volume.blockSizeBytes - indexRootEntriesAt - tail) / indexEntryBytes),
    perNode: Math.floor((volume.blockSizeBytes - indexNodeEntriesAt - tail) / indexEntryBytes),
  };
}

/** How many nodes each inner level has, from the lowest up. */
function levelCounts(
  leafCount: number,
  { perRoot, perNode }: { readonly perRoot: number; readonly perNode: number },
  isLarge: boolean,
): number[] | undefined {
  const counts: number[] = [];
  for (let below = leafCount; below > perRoot;) {
    below = Math.ceil(below / perNode);
    counts.push(below);
  }
  const limit = isLarge ? indexLevelLimit.largeDirectory : indexLevelLimit.plain;
  return counts.length > limit ? undefined : counts;
}

function writeLevel(
  volume: ExtVolume,
  inode: number,
  level: { bytes: Uint8Array; below: readonly IndexItem[]; firstBlock: number; perNode: number },
): IndexItem[] {
  const above: IndexItem[] = [];
  for (let first = 0; first < level.below.length; first += level.perNode) {
    const part = level.below.slice(first, first + level.perNode);
    const block = level.firstBlock + above.length;
    const start = block * volume.blockSizeBytes;
    const node = level.bytes.subarray(start, start + volume.blockSizeBytes);
    directoryEntry.patch(node, { inode: 0, recordLength: volume.blockSizeBytes, nameLength: 0, fileType: 0 });
    writeEntries(volume, inode, { block: node, entriesAt: indexNodeEntriesAt, items: part, limit: level.perNode });
    above.push({ hash: part[0]?.hash ?? 0, block });
  }
  return above;
}

function writeRoot(
  volume: ExtVolume,
  directory: DirectoryInodes,
  root: { bytes: Uint8Array; below: readonly IndexItem[]; levels: number; limit: number },
): void {
  const block = root.bytes.subarray(0, volume.blockSizeBytes);
  const dotLength = directoryRecordLength(1);
  directoryEntry.patch(block, { inode: directory.inode, recordLength: dotLength, nameLength: 1, fileType: 2 });
  block[directoryEntry.sizeBytes] = 0x2e;
  const parentFields = {
    inode: directory.parent,
    recordLength: volume.blockSizeBytes - dotLength,
    nameLength: 2,
    fileType: 2,
  };
  directoryEntry.patch(block, parentFields, dotLength);
  block.fill(0x2e, dotLength + directoryEntry.sizeBytes, dotLength + directoryEntry.sizeBytes + 2);
  const info = { hashVersion: hashVersion.halfMd4, infoLength: 8, indirectLevels: root.levels };
  indexRootInfo.patch(block, info, indexRootInfoAt);
  writeEntries(volume, directory.inode, { block, entriesAt: indexRootEntriesAt, items: root.below, limit: root.limit });
}

function writeEntries(
  volume: ExtVolume,
  inode: number,
  node: { block: Uint8Array; entriesAt: number; items: readonly IndexItem[]; limit: number },
): void {
  const { block, entriesAt, items, limit } = node;
  items.forEach((item, n) => {
    // The first entry's hash is the least by meaning; count and limit stand in its place.
    if (n > 0) indexEntry.patch(block, item, entriesAt + n * indexEntryBytes);
  });
  indexCount.patch(block, { limit, count: items.length, block: items[0]?.block ?? 0 }, entriesAt);
  if (volume.checksumSeed === undefined) return;
  const seed = inodeChecksumSeed(volume.checksumSeed, inode, 0);
  const checksum = indexBlockChecksum(block, entriesAt, items.length, limit, seed);
  indexTail.patch(block, { reserved: 0, checksum }, entriesAt + limit * indexEntryBytes);
}
