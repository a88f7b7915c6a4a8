import { Bitmap } from "../../../bytes/index.ts";
import { groupBlockCount, groupStart, leadingMetadataBlocks } from "../backup-groups.ts";
import { damaged } from "../../damaged.ts";
import type { GroupDescriptor } from "../descriptor-table.ts";
import { hasFeature } from "../features.ts";
import { groupBlocksUninitialised } from "../group-descriptor.ts";
import { inodeBase, resizeInode } from "../inode.ts";
import { inodeBytes } from "../inode-reader.ts";
import type { ExtSource } from "../source.ts";
import type { Transaction } from "../transaction.ts";
import { uninitialisedBitmap } from "../used-extents.ts";
import type { DescriptorImage } from "./descriptor-image.ts";
import type { GrowthPlan } from "./plan-growth.ts";
import { doubleIndirectBlock, endResizeInode, followGrowth } from "./resize-inode.ts";

export interface OldGroups {
  readonly transaction: Transaction;
  readonly source: ExtSource;
  readonly plan: GrowthPlan;
  readonly descriptors: DescriptorImage;
  /** As they were. */
  readonly old: readonly GroupDescriptor[];
}

/**
 * Brings what changes in the groups there were into the transaction: the last one becomes longer, the resize inode
 * follows or ends. Gives how many blocks are free in them then. Done again after it was cut off, it comes to the same.
 */
export async function changeOldGroups(groups: OldGroups): Promise<number> {
  const { transaction, source, plan, old } = groups;
  const { before, after, turnsToMetaGroups } = plan;
  const free = old.map(({ freeClusters }) => freeClusters);
  const last = before.groupCount - 1;
  free[last] = await clearIn(groups, last, [
    { start: leadingMetadataBlocks(after, last), end: leadingMetadataBlocks(before, last) }, // its copy may be moved
    { start: groupBlockCount(before, last), end: groupBlockCount(after, last) },
  ]);
  if (hasFeature(before.features, "resize_inode")) {
    if (!turnsToMetaGroups) await followGrowth(transaction, source, plan);
    else if (!(await isEnded(source))) {
      const block = await doubleIndirectBlock(source);
      const group = Math.floor((block - before.firstDataBlock) / before.blocksPerGroup);
      const first = block - groupStart(before, group);
      free[group] = await clearIn(groups, group, [{ start: first, end: first + 1 }]);
      await endResizeInode(transaction, source);
    }
  }
  return free.reduce((sum, inGroup) => sum + inGroup, 0);
}

interface Blocks {
  readonly start: number;
  readonly end: number;
}

/** Frees blocks in the bitmap of a group; gives how many are free in it then. */
async function clearIn(
  { transaction, plan, descriptors, old }: OldGroups,
  group: number,
  parts: readonly Blocks[],
): Promise<number> {
  const descriptor = old[group];
  if (descriptor === undefined) return 0;
  if ((descriptor.flags & groupBlocksUninitialised) !== 0) {
    // Nobody has written its bitmap yet.
    const freeBlocks = parts.reduce((sum, { start, end }) => sum + end - start, descriptor.freeClusters);
    descriptors.change(group, { freeBlocks });
    return freeBlocks;
  }
  const bytes = await transaction.change(descriptor.blockBitmap);
  const bitmap = new Bitmap(groupBlockCount(plan.after, group), bytes);
  refuseForeign(plan, descriptor, bitmap);
  for (const { start, end } of parts) bitmap.clearRange(start, end - start);
  const freeBlocks = bitmap.length - bitmap.countSet();
  descriptors.change(group, { freeBlocks, blockBitmapBytes: bytes });
  return freeBlocks;
}

/** Throws `damaged` where a bitmap does not know the structures of its own group: it is something else. */
function refuseForeign({ after }: GrowthPlan, descriptor: GroupDescriptor, bitmap: Bitmap): void {
  const own = uninitialisedBitmap(after, descriptor, bitmap.length);
  for (let n = own.nextSet(0); n >= 0; n = own.nextSet(n + 1)) {
    if (!bitmap.has(n)) throw damaged(`the block bitmap of group ${descriptor.group}`, "it is not one");
  }
}

/** Whether an attempt that was cut off has emptied the resize inode already. */
async function isEnded(source: ExtSource): Promise<boolean> {
  return inodeBase.get(await inodeBytes(source, resizeInode), "mode") === 0;
}
