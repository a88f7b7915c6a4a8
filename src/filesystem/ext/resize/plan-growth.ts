import { Failure } from "../../../base/index.ts";
import { leadingMetadataBlocks } from "../backup-groups.ts";
import { damaged } from "../../damaged.ts";
import { featureWords, hasFeature } from "../features.ts";
import { layoutOf, type ExtLayout } from "../layout.ts";
import { superblock } from "../superblock.ts";

/** A file system before and after it grows. */
export interface GrowthPlan {
  readonly before: ExtLayout;
  readonly after: ExtLayout;
  /** The superblock as it will be, but for the counts of what is free and its checksum. */
  readonly superblock: Uint8Array;
  /** Blocks reserved behind the descriptors that come to hold descriptors. */
  readonly reservedBlocksUsed: number;
  /** Whether there is no room behind the descriptors, so that those to come stand in the groups they describe. */
  readonly turnsToMetaGroups: boolean;
}

/** A last group with fewer blocks to spare than this is not worth having, as mke2fs and resize2fs see it. */
const lastGroupMinimumBlocks = 50;
const numbers32 = 2 ** 32;
/** The descriptors of so many groups are held in memory: 128 MiB of them. */
const groupLimit = 2 ** 21;

/**
 * Plans how a file system comes to fill `sizeBytes`, or as much of that as makes sense. Undefined where it is as large
 * already. Throws `unsupported` saying how far it can grow where it cannot grow as far.
 */
export function planGrowth(bytes: Uint8Array, before: ExtLayout, sizeBytes: number): GrowthPlan | undefined {
  const { firstDataBlock, blocksPerGroup } = before;
  for (let blockCount = Math.floor(sizeBytes / before.blockSizeBytes); blockCount > before.blockCount;) {
    refuseTooLarge(before, blockCount);
    const plan = planFor(bytes, before, blockCount);
    const rest = (blockCount - firstDataBlock) % blocksPerGroup;
    const last = plan.after.groupCount - 1;
    const overhead = leadingMetadataBlocks(plan.after, last) + 2 + plan.after.inodeTableBlocks;
    if (rest === 0 || last < before.groupCount || rest >= overhead + lastGroupMinimumBlocks) return plan;
    blockCount -= rest;
  }
  return undefined;
}

function refuseTooLarge(layout: ExtLayout, blockCount: number): void {
  const { inodesPerGroup, blocksPerGroup, firstDataBlock, blockSizeBytes } = layout;
  const groups = Math.min(groupLimit, Math.floor((numbers32 - 1) / inodesPerGroup));
  // The upper halves of all counts stand in another sector than the lower, and both cannot be written as one.
  const most = Math.min(firstDataBlock + groups * blocksPerGroup, numbers32 - 1);
  if (blockCount <= most) return;
  throw new Failure(
    "unsupported",
    `cannot grow the file system to ${blockCount * blockSizeBytes} bytes: it can be grown to ${most * blockSizeBytes} at most`,
    { hint: `give it --size ${most * blockSizeBytes} or less` },
  );
}

function planFor(bytes: Uint8Array, before: ExtLayout, blockCount: number): GrowthPlan {
  const groupCount = Math.ceil((blockCount - before.firstDataBlock) / before.blocksPerGroup);
  const perBlock = before.blockSizeBytes / before.descriptorSizeBytes;
  const more = Math.ceil(groupCount / perBlock) - before.descriptorBlocks;
  const room = descriptorRoom(before, more);
  const planned = Uint8Array.from(bytes);
  const reserved = reservedBlocksAfter(before, blockCount);
  superblock.patch(planned, {
    inodeCount: groupCount * before.inodesPerGroup,
    blockCountLow: blockCount % numbers32,
    reservedBlockCountLow: reserved % numbers32,
    ...(before.has64bit
      ? {
          blockCountHigh: Math.floor(blockCount / numbers32),
          reservedBlockCountHigh: Math.floor(reserved / numbers32),
        }
      : {}),
    overheadClusters: 0, // whoever wants to know counts again
    ...room.fields,
    ...(hasFeature(before.features, "sparse_super2") ? { backupGroups: backupGroupsAfter(before, groupCount) } : {}),
  });
  const { reservedBlocksUsed, turnsToMetaGroups } = room;
  return { before, after: layoutOf(planned), superblock: planned, reservedBlocksUsed, turnsToMetaGroups };
}

/** The second of the two copies that `sparse_super2` has is in the last group, where resize2fs looks for it. */
function backupGroupsAfter({ record, features, groupCount }: ExtLayout, newGroupCount: number): number[] {
  const [first = 0, second = 0] = record.backupGroups;
  const isMoved = second > 1 && second === groupCount - 1 && newGroupCount > groupCount;
  if (hasFeature(features, "has_journal")) {
    if (groupCount === 1 && newGroupCount > 1) return [first || 1, second];
    return [first, isMoved ? newGroupCount - 1 : second];
  }
  if (isMoved) throw movesCopyWithoutJournal("grow");
  return [first, second];
}

/** Their places stand in another sector of the superblock than its size, and both cannot be written as one. */
export function movesCopyWithoutJournal(verb: "grow" | "shrink"): Failure {
  return new Failure(
    "unsupported",
    `cannot ${verb} the file system: it uses sparse_super2 and has no journal, so a copy of its superblock cannot be moved`,
    { hint: "give it a journal first: tune2fs -j" },
  );
}

/** What is kept for root stays the same part of the whole. */
function reservedBlocksAfter({ record, blockCount, has64bit }: ExtLayout, newBlockCount: number): number {
  const reserved = record.reservedBlockCountLow + (has64bit ? record.reservedBlockCountHigh * numbers32 : 0);
  return Math.floor((Math.min(reserved, blockCount) / blockCount) * newBlockCount);
}

interface DescriptorRoom extends Pick<GrowthPlan, "reservedBlocksUsed" | "turnsToMetaGroups"> {
  readonly fields: Partial<
    Pick<ExtLayout["record"], "reservedGdtBlocks" | "firstMetaBlockGroup" | "compatible" | "incompatible">
  >;
}

/** Where `more` blocks of descriptors go. */
function descriptorRoom(before: ExtLayout, more: number): DescriptorRoom {
  const { features, record, descriptorBlocks } = before;
  const hasResizeInode = hasFeature(features, "resize_inode");
  if (hasFeature(features, "meta_bg")) {
    if (hasResizeInode || record.reservedGdtBlocks > 0) {
      throw damaged("the ext superblock", "resize_inode and meta_bg exclude each other");
    }
    // Only groups that are there have descriptors behind the superblock's copies.
    const firstMetaBlockGroup = Math.min(record.firstMetaBlockGroup, descriptorBlocks);
    return { reservedBlocksUsed: 0, turnsToMetaGroups: false, fields: { firstMetaBlockGroup } };
  }
  const reserved = record.reservedGdtBlocks;
  if (reserved > 0 && !hasResizeInode) {
    throw damaged("the ext superblock", `${reserved} blocks are reserved for descriptors and belong to nobody`);
  }
  if (more <= reserved) {
    const fields = { reservedGdtBlocks: reserved - more };
    return { reservedBlocksUsed: more, turnsToMetaGroups: false, fields };
  }
  return turnToMetaGroups(before, more);
}

/** As the kernel does when the reserved blocks are used up: it uses up the rest, and ends the resize inode. */
function turnToMetaGroups({ features, record, descriptorBlocks }: ExtLayout, more: number): DescriptorRoom {
  const reserved = record.reservedGdtBlocks;
  if (record.revision === 0 || more < reserved) {
    throw new Failure("unsupported", "cannot grow the file system as far: its group descriptors cannot follow", {
      hint: "run resize2fs on it, which can move what is in the way",
    });
  }
  return {
    reservedBlocksUsed: reserved,
    turnsToMetaGroups: true,
    fields: {
      reservedGdtBlocks: 0,
      firstMetaBlockGroup: descriptorBlocks + reserved,
      compatible: (features.compatible & ~featureWords(["resize_inode"]).compatible) >>> 0,
      incompatible: (features.incompatible | featureWords(["meta_bg"]).incompatible) >>> 0,
    },
  };
}
