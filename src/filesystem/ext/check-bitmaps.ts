import { Bitmap } from "../../bytes/index.ts";
import { groupBlockCount, groupStart } from "./backup-groups.ts";
import { bitmapChecksum, isBitmapChecksum } from "./bitmap-checksum.ts";
import { findDamage, type CheckState } from "./check-state.ts";
import { groupBlocksUninitialised } from "./group-descriptor.ts";
import { hasFeature } from "./features.ts";
import { blockBitmap } from "./used-extents.ts";

/** Compares the block bitmaps of the window with what was claimed, and counts what is free. */
export async function checkBlockBitmaps(state: CheckState): Promise<void> {
  for (
    let group = state.blocks.firstGroup;
    group < Math.min(state.blocks.endGroup, state.source.groupsOnDevice);
    group++
  ) {
    await findDamage(state.report, undefined, () => checkBlockBitmap(state, group));
  }
}

async function checkBlockBitmap(state: CheckState, group: number): Promise<void> {
  const { source, report, totals } = state;
  const { layout } = source;
  const descriptor = await source.descriptors.of(group);
  const bitmap = await blockBitmap(source, descriptor);
  const what = `the block bitmap of group ${group}`;
  if ((descriptor.flags & groupBlocksUninitialised) === 0) {
    const block = await source.block(descriptor.blockBitmap, what);
    const counted = layout.blocksPerGroup / layout.clusterBlocks / 8;
    if (layout.hasChecksums) {
      const sum = bitmapChecksum(layout, block.subarray(0, counted));
      if (!isBitmapChecksum(layout, sum, descriptor.blockBitmapChecksum))
        report.error(`the checksum of ${what} is wrong`);
    }
    const whole = new Bitmap(block.length * 8, block);
    if (whole.nextClear(bitmap.length) >= 0) report.warning(`the end of ${what} is not filled`);
  }
  compareWithClaims(state, group, bitmap);
  const free = bitmap.length - bitmap.countSet();
  if (descriptor.freeClusters !== free) {
    report.error(`group ${group} counts ${descriptor.freeClusters} free blocks, and has ${free}`);
  }
  totals.freeClusters += free;
}

/** Tells of each stretch of blocks that the bitmap and the claims disagree about. */
function compareWithClaims(state: CheckState, group: number, bitmap: Bitmap): void {
  const { source, report, blocks } = state;
  const { layout } = source;
  const start = groupStart(layout, group);
  const firstCluster = blocks.clusterOf(start);
  const count = Math.ceil(groupBlockCount(layout, group) / layout.clusterBlocks);
  const differenceAt = (n: number) => Number(bitmap.has(n)) - Number(blocks.isClaimed(firstCluster + n));
  for (let n = blocks.agreeingClusters(firstCluster, bitmap); n < count; n++) {
    const difference = differenceAt(n);
    if (difference === 0) continue;
    let end = n + 1;
    while (end < count && differenceAt(end) === difference) end++;
    const first = start + n * layout.clusterBlocks;
    const last = start + end * layout.clusterBlocks - 1;
    const name = first === last ? `block ${first}` : `blocks ${first} to ${last}`;
    if (difference < 0) report.error(`${name}: in use, and free in the bitmap`);
    else report.error(`${name}: not in use, and taken in the bitmap`);
    n = end - 1;
  }
}

/** What the superblock counts as free, and the attribute blocks that are shared. */
export function checkTotals(state: CheckState, wasReplayed: boolean): void {
  const { source, report, totals } = state;
  const { record, features, clusterBlocks } = source.layout;
  const freeBlocks = totals.freeClusters * clusterBlocks;
  const counted = record.freeBlockCountLow + (hasFeature(features, "64bit") ? record.freeBlockCountHigh * 2 ** 32 : 0);
  // The kernel sums these up when it unmounts; a file system in use has old numbers.
  const tell = wasReplayed ? report.warning.bind(report) : report.error.bind(report);
  if (counted !== freeBlocks) tell(`the superblock counts ${counted} free blocks, there are ${freeBlocks}`);
  if (record.freeInodeCount !== totals.freeInodes) {
    tell(`the superblock counts ${record.freeInodeCount} free inodes, there are ${totals.freeInodes}`);
  }
  for (const [block, { expected, found }] of state.sharedBlocks) {
    if (expected !== found) report.error(`attribute block ${block}: it counts ${expected} inodes, and has ${found}`);
  }
}
