import { Failure } from "../../base/index.ts";
import { crc32c, decodeName } from "../../bytes/index.ts";
import { checksumSeedOf } from "./checksum.ts";
import { damaged } from "../damaged.ts";
import { featureNames, featureWords, hasFeature, type Feature, type FeatureWords } from "./features.ts";
import { firstOrdinaryInode, inodeBaseBytes } from "./inode.ts";
import { superblock, superblockAt, superblockMagic, type Superblock } from "./superblock.ts";

/** What a superblock says of where everything stands, checked against itself. All places are block numbers. */
export interface ExtLayout {
  readonly record: Superblock;
  readonly features: FeatureWords;
  readonly blockSizeBytes: number;
  readonly blockCount: number;
  readonly firstDataBlock: number;
  readonly blocksPerGroup: number;
  /** Blocks that one bit of a block bitmap stands for: 1 without `bigalloc`. */
  readonly clusterBlocks: number;
  readonly groupCount: number;
  readonly inodeCount: number;
  readonly inodesPerGroup: number;
  readonly inodeTableBlocks: number;
  readonly inodeSizeBytes: number;
  readonly firstInode: number;
  readonly descriptorSizeBytes: number;
  readonly descriptorBlocks: number;
  /** The block that holds the primary superblock: 1 with blocks of 1 KiB, else 0. */
  readonly superblockBlock: number;
  readonly checksumSeed: number;
  readonly hasChecksums: boolean;
  readonly has64bit: boolean;
}

const largestLogBlockSize = 6; // 64 KiB
const largestDescriptorBytes = 1024;
const blockNumberLimit = 2 ** 48; // extents hold 48 bits
const revisionWithoutFeatures = 0;

/** Incompatible features that this reader understands. */
const readable = featureWords([
  "filetype",
  "needs_recovery",
  "meta_bg",
  "extent",
  "64bit",
  "mmp",
  "flex_bg",
  "ea_inode",
  "metadata_csum_seed",
  "large_dir",
  "inline_data",
  "encrypt",
  "casefold",
]).incompatible;

/** Whether these 1024 bytes carry the signature of an ext superblock. */
export function hasSuperblockMagic(bytes: Uint8Array): boolean {
  return superblock.get(bytes, "magic") === superblockMagic;
}

/** Whether the checksum of the superblock is right, where it has one. */
export function isSuperblockChecksumRight(bytes: Uint8Array): boolean {
  const record = decodeSuperblock(bytes);
  return !hasFeature(record, "metadata_csum") || crc32c(bytes, 0xffffffff, 0, 0x3fc) === record.checksum;
}

/** Reads and checks a superblock. Throws `damaged` where its fields cannot be, `unsupported` naming the features. */
export function layoutOf(bytes: Uint8Array): ExtLayout {
  const record = decodeSuperblock(bytes);
  if (record.magic !== superblockMagic) throw damaged("the ext superblock", "its signature is missing");
  refuseUnreadable(record);
  const has = (feature: Feature) => hasFeature(record, feature);
  const blockSizeBytes = blockSizeOf(record);
  const clusterBlocks = clusterBlocksOf(record);
  const blockCount = record.blockCountLow + (has("64bit") ? record.blockCountHigh * 2 ** 32 : 0);
  const descriptorSizeBytes = has("64bit") ? record.descriptorSize : 32;
  const isOld = record.revision === revisionWithoutFeatures;
  const inodeSizeBytes = isOld ? inodeBaseBytes : record.inodeSize;
  const groupCount = Math.ceil((blockCount - record.firstDataBlock) / record.blocksPerGroup);
  const layout: ExtLayout = {
    record,
    features: record,
    blockSizeBytes,
    blockCount,
    firstDataBlock: record.firstDataBlock,
    blocksPerGroup: record.blocksPerGroup,
    clusterBlocks,
    groupCount,
    inodeCount: record.inodeCount,
    inodesPerGroup: record.inodesPerGroup,
    inodeTableBlocks: Math.ceil((record.inodesPerGroup * inodeSizeBytes) / blockSizeBytes),
    inodeSizeBytes,
    firstInode: isOld ? firstOrdinaryInode : record.firstInode,
    descriptorSizeBytes,
    descriptorBlocks: Math.ceil(groupCount / (blockSizeBytes / descriptorSizeBytes)),
    superblockBlock: Math.floor(superblockAt / blockSizeBytes),
    checksumSeed: has("metadata_csum_seed")
      ? record.checksumSeed
      : checksumSeedOf(bytes.subarray(uuidAt, uuidAt + uuidBytes)),
    hasChecksums: has("metadata_csum"),
    has64bit: has("64bit"),
  };
  refuseImpossible(layout);
  return layout;
}

const uuidAt = superblock.fields.uuid[0];
const uuidBytes = 16;

/** The label as text; it ends at its first NUL. */
export function labelOf(record: Superblock): string {
  const end = record.label.indexOf(0);
  return decodeName(record.label, 0, end < 0 ? record.label.length : end);
}

function decodeSuperblock(bytes: Uint8Array): Superblock {
  const copy = Uint8Array.from(bytes.subarray(0, superblock.sizeBytes));
  superblock.patch(copy, { writtenKibibytes: 0 }); // a mere statistic, which as a number above 2^53 would not decode
  return superblock.decode(copy);
}

function refuseUnreadable(record: Superblock): void {
  const names = featureNames({
    compatible: 0,
    incompatible: record.incompatible & ~readable,
    readOnlyCompatible: 0,
  });
  if (names.length === 0) return;
  if (names.includes("journal_dev")) {
    throw new Failure("unsupported", "cannot read this ext device: it holds the journal of another file system");
  }
  throw new Failure("unsupported", `cannot read this ext file system: it uses ${names.join(", ")}`);
}

function blockSizeOf(record: Superblock): number {
  if (record.logBlockSize > largestLogBlockSize) {
    throw damaged("the ext superblock", `a block size of 2^${record.logBlockSize + 10} bytes is above 64 KiB`);
  }
  return 1024 << record.logBlockSize;
}

function clusterBlocksOf(record: Superblock): number {
  if (!hasFeature(record, "bigalloc")) return 1;
  const log = record.logClusterSize - record.logBlockSize;
  if (log < 0 || log > 16) throw damaged("the ext superblock", `clusters of 2^${log} blocks cannot be`);
  return 1 << log;
}

function refuseImpossible(layout: ExtLayout): void {
  const { blockSizeBytes, blockCount, firstDataBlock, blocksPerGroup, inodesPerGroup, inodeSizeBytes } = layout;
  const bits = blockSizeBytes * 8;
  const isPower = (value: number) => value > 0 && (value & (value - 1)) === 0;
  const inodesPerBlock = blockSizeBytes / inodeSizeBytes;
  const refuseUnless = (isRight: boolean, why: string): void => {
    if (!isRight) throw damaged("the ext superblock", why);
  };
  refuseUnless(
    isPower(inodeSizeBytes) && inodeSizeBytes >= inodeBaseBytes && inodeSizeBytes <= blockSizeBytes,
    `inodes of ${inodeSizeBytes} bytes cannot be`,
  );
  refuseUnless(
    isPower(layout.descriptorSizeBytes) &&
      layout.descriptorSizeBytes >= (hasFeature(layout.features, "64bit") ? 64 : 32) &&
      layout.descriptorSizeBytes <= Math.min(blockSizeBytes, largestDescriptorBytes),
    `group descriptors of ${layout.descriptorSizeBytes} bytes cannot be`,
  );
  refuseUnless(
    blocksPerGroup > 0 && blocksPerGroup % layout.clusterBlocks === 0 && blocksPerGroup <= bits * layout.clusterBlocks,
    `groups of ${blocksPerGroup} blocks cannot be`,
  );
  refuseUnless(
    inodesPerGroup >= Math.min(8, inodesPerBlock) && inodesPerGroup <= bits,
    `groups of ${inodesPerGroup} inodes cannot be`,
  );
  refuseUnless(
    firstDataBlock <= layout.superblockBlock && blockCount > firstDataBlock + 1 && blockCount <= blockNumberLimit,
    `${blockCount} blocks from ${firstDataBlock} on cannot be`,
  );
  refuseUnless(
    layout.inodeCount === layout.groupCount * inodesPerGroup,
    `${layout.inodeCount} inodes in ${layout.groupCount} groups of ${inodesPerGroup} cannot be`,
  );
}
