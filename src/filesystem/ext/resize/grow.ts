import type { BlockDevice, BlockReader } from "../../../device/index.ts";
import type { GrowOptions, SizeChange } from "../../resize.ts";
import { recoverJournal } from "../recover.ts";
import { ExtSource } from "../source.ts";
import { superblock } from "../superblock.ts";
import { Transaction } from "../transaction.ts";
import { changeOldGroups } from "./change-old-groups.ts";
import { commitSize, forgetOverhead } from "./commit-size.ts";
import { DescriptorImage } from "./descriptor-image.ts";
import { openForResize, sizeChangeOf, soundDescriptors, superblockOf } from "./open-for-resize.ts";
import { placeTables } from "./place-tables.ts";
import { planGrowth, type GrowthPlan } from "./plan-growth.ts";
import { areCopiesCurrent, refreshCopies, writeCopies } from "./write-copies.ts";
import { writeNewGroups } from "./write-new-groups.ts";

/**
 * Says how an ext file system would grow to fill `sizeBytes`, without changing anything. Throws `unsupported` where it
 * cannot grow, or not as far; `damaged` where it is not sound enough.
 */
export async function planExtGrowth(reader: BlockReader, sizeBytes: number): Promise<SizeChange> {
  const { bytes, layout } = await openForResize(reader, { verb: "grow" });
  const plan = planGrowth(bytes, layout, sizeBytes);
  return sizeChangeOf(plan?.before ?? layout, plan?.after ?? layout);
}

/**
 * Grows an ext2, ext3 or ext4 file system to fill its device. What is new is written first, where nothing refers to it;
 * then the file system changes as one, through its journal, or without one in an order in which it can be done again.
 */
export async function growExt(device: BlockDevice, options: GrowOptions): Promise<SizeChange> {
  const { layout: found } = await openForResize(device, { verb: "grow" });
  const layout = await recoverJournal(device, found);
  const bytes = await superblockOf(device);
  const plan = planGrowth(bytes, layout, device.sizeBytes);
  if (plan === undefined) {
    if (!(await areCopiesCurrent(device, layout))) await refreshCopies(device, layout, bytes);
    return sizeChangeOf(layout, layout);
  }
  await grow(device, plan, options);
  return sizeChangeOf(plan.before, plan.after);
}

async function grow(device: BlockDevice, plan: GrowthPlan, options: GrowOptions): Promise<void> {
  const { before, after } = plan;
  const transaction = new Transaction(device, before.blockSizeBytes);
  const source = new ExtSource(transaction, before, [], transaction);
  const old = await soundDescriptors(source);
  const descriptors = await DescriptorImage.read(device, before, after);
  const tables = placeTables(after, before.groupCount);
  const oldFree = await changeOldGroups({ transaction, source, plan, descriptors, old });
  const freeBlocks = oldFree + (await writeNewGroups(device, descriptors, tables, options));
  const freeInodes =
    old.reduce((sum, { freeInodes: inGroup }) => sum + inGroup, 0) + tables.length * after.inodesPerGroup;
  const current = Uint8Array.from(plan.superblock);
  superblock.patch(current, {
    freeBlockCountLow: freeBlocks % 2 ** 32,
    ...(after.has64bit ? { freeBlockCountHigh: Math.floor(freeBlocks / 2 ** 32) } : {}),
    freeInodeCount: freeInodes,
    writeTime: options.now.seconds >>> 0,
  });
  for (const { block, bytes } of descriptors.primaries()) {
    if (block >= before.blockCount) await device.write(block * before.blockSizeBytes, bytes);
    else if (Buffer.compare(await transaction.block(block), bytes) !== 0) (await transaction.change(block)).set(bytes);
  }
  await writeCopies(device, descriptors, current, { first: before.groupCount, end: after.groupCount });
  await device.flush();
  await forgetOverhead(device);
  await commitSize(device, transaction, {
    layout: before,
    superblock: current,
    now: options.now,
    isRepeatable: true,
  });
  await writeCopies(device, descriptors, await superblockOf(device), { first: 1, end: before.groupCount });
  await device.flush();
}
