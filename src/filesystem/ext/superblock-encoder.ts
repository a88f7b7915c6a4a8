import { crc32c } from "../../bytes/index.ts";
import { featureWords } from "./features.ts";
import { hashVersion } from "./directory-hash.ts";
import { extraSizeOf } from "./inode-encoder.ts";
import { firstOrdinaryInode, journalInode } from "./inode.ts";
import { flagSignedHash, stateClean, superblock, superblockMagic } from "./superblock.ts";
import type { ExtVolume } from "./volume.ts";

const defaultMountOptions = 0xc; // user_xattr and acl, as mke2fs sets them
const dynamicRevision = 1;
const neverCheck = 0xffff;
const continueOnErrors = 1;
const crc32cType = 1;
const journalBackupInInodeForm = 1;
const allGroups32 = 2 ** 32;

/** The superblock of a finished volume, as it stands at the start of `group`. */
export function encodeSuperblock(
  volume: ExtVolume,
  state: { readonly group: number; readonly freeInodes: number },
): Uint8Array {
  const { profile, geometry, blocks } = volume;
  const { now } = profile;
  const reserved = Math.floor((geometry.blockCount * profile.reservedPercent) / 100);
  const low = (value: number): number => value % allGroups32;
  const high = (value: number): number => Math.floor(value / allGroups32);
  const features = new Set(profile.features);
  if (geometry.reservedGdtBlocks === 0) features.delete("resize_inode");
  if (geometry.journalBlocks === 0) features.delete("has_journal");
  const hasExtra = features.has("extra_isize") || profile.inodeSizeBytes > 128;
  const bytes = superblock.encode({
    inodeCount: geometry.inodeCount,
    blockCountLow: low(geometry.blockCount),
    blockCountHigh: high(geometry.blockCount),
    reservedBlockCountLow: low(reserved),
    reservedBlockCountHigh: high(reserved),
    freeBlockCountLow: low(blocks.freeBlocks),
    freeBlockCountHigh: high(blocks.freeBlocks),
    freeInodeCount: state.freeInodes,
    firstDataBlock: geometry.firstDataBlock,
    logBlockSize: Math.log2(geometry.blockSizeBytes) - 10,
    logClusterSize: Math.log2(geometry.blockSizeBytes) - 10,
    blocksPerGroup: geometry.blocksPerGroup,
    clustersPerGroup: geometry.blocksPerGroup,
    inodesPerGroup: geometry.inodesPerGroup,
    writeTime: low(now.seconds),
    writeTimeHigh: high(now.seconds),
    lastCheckTime: low(now.seconds),
    makeTime: low(now.seconds),
    makeTimeHigh: high(now.seconds),
    maximumMountCount: neverCheck,
    magic: superblockMagic,
    state: stateClean,
    errorBehaviour: continueOnErrors,
    revision: dynamicRevision,
    firstInode: firstOrdinaryInode,
    inodeSize: profile.inodeSizeBytes,
    groupOfThisCopy: Math.min(state.group, 0xffff),
    ...featureWords(features),
    uuid: profile.uuid,
    label: profile.label,
    reservedGdtBlocks: geometry.reservedGdtBlocks,
    hashSeed: profile.hashSeed,
    defaultHashVersion: hashVersion.halfMd4,
    flags: flagSignedHash,
    descriptorSize: features.has("64bit") ? geometry.descriptorSizeBytes : 0,
    defaultMountOptions,
    minimumExtraInodeSize: hasExtra ? extraSizeOf(profile.inodeSizeBytes) : 0,
    wantedExtraInodeSize: hasExtra ? extraSizeOf(profile.inodeSizeBytes) : 0,
    logGroupsPerFlex: features.has("flex_bg") ? Math.log2(geometry.groupsPerFlex) : 0,
  });
  if (volume.journalBackup !== undefined) {
    superblock.patch(bytes, {
      journalInode,
      journalBackupType: journalBackupInInodeForm,
      journalBlocks: volume.journalBackup,
    });
  }
  if (volume.checksumSeed !== undefined) {
    superblock.patch(bytes, { checksumType: crc32cType });
    superblock.patch(bytes, { checksum: crc32c(bytes, 0xffffffff, 0, superblock.fields.checksum[0]) });
  }
  return bytes;
}
