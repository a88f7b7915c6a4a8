import { Failure } from "../../../base/index.ts";
import { Bitmap } from "../../../bytes/index.ts";
import { groupBlockCount, groupStart, leadingMetadataBlocks } from "../backup-groups.ts";
import type { BlockRun } from "../block-allocator.ts";
import type { GroupDescriptor } from "../descriptor-table.ts";
import { hasFeature } from "../features.ts";
import { groupBlocksUninitialised } from "../group-descriptor.ts";
import type { ExtLayout } from "../layout.ts";
import type { ExtSource } from "../source.ts";
import type { Transaction } from "../transaction.ts";
import { uninitialisedBitmap } from "../used-extents.ts";
import type { DescriptorImage } from "./descriptor-image.ts";
import { followShrinking } from "./resize-inode.ts";
import { bitmapsOf } from "./survey.ts";
import { runsOf } from "./table-runs.ts";

export interface CutGroups {
  readonly transaction: Transaction;
  readonly source: ExtSource;
  readonly before: ExtLayout;
  readonly after: ExtLayout;
  readonly descriptors: DescriptorImage;
  /** As they were. */
  readonly old: readonly GroupDescriptor[];
}

/**
 * Brings into the transaction what changes in the groups that stay: the structures of groups that go, and descriptors
 * that are no longer needed, leave them free, and the last of them becomes shorter. Gives what is free in them then.
 */
export async function cutGroups(cut: CutGroups): Promise<{ readonly blocks: number; readonly inodes: number }> {
  const { transaction, source, before, after, old } = cut;
  await refuseInUse(cut);
  const freed = freedIn(cut);
  const last = after.groupCount - 1;
  const free = { blocks: 0, inodes: 0 };
  for (const descriptor of old.slice(0, after.groupCount)) {
    const { group, freeInodes, freeClusters } = descriptor;
    const isChanged = freed.has(group) || (group === last && after.blockCount < endOf(before, last));
    free.blocks += isChanged ? await changeGroup(cut, descriptor, freed.get(group) ?? []) : freeClusters;
    free.inodes += freeInodes;
  }
  const hasReserved = before.record.reservedGdtBlocks + after.record.reservedGdtBlocks > 0;
  if (hasFeature(before.features, "resize_inode") && hasReserved) {
    await followShrinking(transaction, source, { before, after });
  }
  return free;
}

function endOf(layout: ExtLayout, group: number): number {
  return groupStart(layout, group) + groupBlockCount(layout, group);
}

/** Throws `damaged` where something behind the new end is in use that belongs to no file. */
async function refuseInUse({ source, after, old }: CutGroups): Promise<void> {
  const first = after.groupCount - 1;
  for await (const { group, used, structures } of bitmapsOf(source, old, first)) {
    const from = group === first ? after.blockCount - groupStart(after, group) : 0;
    for (let n = used.nextSet(from); n >= 0; n = used.nextSet(n + 1)) {
      if (!structures.has(n)) throw notFree(`block ${groupStart(source.layout, group) + n}`);
    }
    const { freeInodes } = old[group] ?? { freeInodes: 0 };
    if (group > first && freeInodes !== after.inodesPerGroup) throw notFree(`an inode of group ${group}`);
  }
}

function notFree(what: string): Failure {
  return new Failure("damaged", `cannot shrink the file system: ${what} is in use, and no file has it`, {
    hint: "run e2fsck on it first",
  });
}

/** What becomes free in each group that stays, as runs of blocks of the file system. */
function freedIn({ before, after, old }: CutGroups): Map<number, BlockRun[]> {
  const freed = new Map<number, BlockRun[]>();
  const add = (group: number, run: BlockRun): void => void freed.set(group, [...(freed.get(group) ?? []), run]);
  for (let group = 0; group < after.groupCount; group++) {
    const [was, is] = [leadingMetadataBlocks(before, group), leadingMetadataBlocks(after, group)];
    if (is < was) add(group, { start: groupStart(before, group) + is, length: was - is });
  }
  for (const run of runsOf(before, old.slice(after.groupCount))) {
    const end = Math.min(run.start + run.length, after.blockCount);
    for (let start = run.start; start < end;) {
      const group = Math.floor((start - before.firstDataBlock) / before.blocksPerGroup);
      const length = Math.min(end, endOf(before, group)) - start;
      add(group, { start, length });
      start += length;
    }
  }
  return freed;
}

/** Frees blocks of a group, and fills its bitmap behind the new end; gives how many are free in it then. */
async function changeGroup(
  { transaction, after, descriptors }: CutGroups,
  descriptor: GroupDescriptor,
  freed: readonly BlockRun[],
): Promise<number> {
  const { group, blockBitmap, flags } = descriptor;
  const isMadeUp = (flags & groupBlocksUninitialised) !== 0;
  const length = groupBlockCount(after, group);
  const bytes = isMadeUp ? transaction.freshBlock(blockBitmap) : await transaction.change(blockBitmap);
  if (isMadeUp) bytes.set(uninitialisedBitmap(after, descriptor, length).bytes);
  const bitmap = new Bitmap(bytes.length * 8, bytes);
  for (const { start, length: count } of freed) bitmap.clearRange(start - groupStart(after, group), count);
  bitmap.setRange(length, bitmap.length - length);
  const freeBlocks = length - bitmap.countSet(0, length);
  descriptors.change(group, {
    freeBlocks,
    blockBitmapBytes: bytes,
    flags: flags & ~groupBlocksUninitialised,
  });
  return freeBlocks;
}
