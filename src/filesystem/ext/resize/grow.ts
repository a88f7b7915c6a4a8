import { Failure } from "../../../base/index.ts";
import { readBytes, type BlockDevice, type BlockReader } from "../../../device/index.ts";
import type { GrowOptions, SizeChange } from "../../resize.ts";
import type { GroupDescriptor } from "../descriptor-table.ts";
import { layoutOf, type ExtLayout } from "../layout.ts";
import { recoverJournal } from "../recover.ts";
import { ExtSource } from "../source.ts";
import { stateClean, superblock, superblockAt } from "../superblock.ts";
import { Transaction } from "../transaction.ts";
import { refuseUnsound, refuseUnwritable } from "../writable.ts";
import { changeOldGroups } from "./change-old-groups.ts";
import { commitSize, forgetOverhead } from "./commit-size.ts";
import { DescriptorImage } from "./descriptor-image.ts";
import { wasBegun } from "./interrupted.ts";
import { placeTables } from "./place-tables.ts";
import { planGrowth, type GrowthPlan } from "./plan-growth.ts";
import { areCopiesCurrent, writeCopies } from "./write-copies.ts";
import { writeNewGroups } from "./write-new-groups.ts";

/**
 * Says how an ext file system would grow to fill `sizeBytes`, without changing anything. Throws `unsupported` where it
 * cannot grow, or not as far; `damaged` where it is not sound enough.
 */
export async function planExtGrowth(reader: BlockReader, sizeBytes: number): Promise<SizeChange> {
  const { bytes, layout } = await openForGrowth(reader);
  const plan = planGrowth(bytes, layout, sizeBytes);
  return growthOf(plan?.before ?? layout, plan?.after ?? layout);
}

/**
 * Grows an ext2, ext3 or ext4 file system to fill its device. What is new is written first, where nothing refers to it;
 * then the file system changes as one, through its journal, or without one in an order in which it can be done again.
 */
export async function growExt(device: BlockDevice, options: GrowOptions): Promise<SizeChange> {
  const { layout: found } = await openForGrowth(device);
  const layout = await recoverJournal(device, found);
  const bytes = await superblockOf(device);
  const plan = planGrowth(bytes, layout, device.sizeBytes);
  if (plan === undefined) {
    if (!(await areCopiesCurrent(device, layout))) await refreshCopies(device, layout);
    return growthOf(layout, layout);
  }
  await grow(device, plan, options);
  return growthOf(plan.before, plan.after);
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
  await commitSize(device, transaction, { layout: before, superblock: current, now: options.now });
  await writeCopies(device, descriptors, await superblockOf(device), { first: 1, end: before.groupCount });
  await device.flush();
}

async function refreshCopies(device: BlockDevice, layout: ExtLayout): Promise<void> {
  const descriptors = await DescriptorImage.read(device, layout, layout);
  await writeCopies(device, descriptors, await superblockOf(device), { first: 1, end: layout.groupCount });
  await device.flush();
}

async function openForGrowth(reader: BlockReader): Promise<{ readonly bytes: Uint8Array; readonly layout: ExtLayout }> {
  const bytes = await superblockOf(reader);
  // What was begun here can be gone on with: the file system is as it was, and what was added to it is added again.
  if (wasBegun(bytes)) superblock.patch(bytes, { state: superblock.get(bytes, "state") | stateClean });
  const layout = layoutOf(bytes);
  refuseUnwritable(layout);
  refuseUnsound(reader, layout);
  return { bytes, layout };
}

/** All descriptors of the old groups; a file system with a broken one is not built upon. */
async function soundDescriptors(source: ExtSource): Promise<GroupDescriptor[]> {
  const descriptors: GroupDescriptor[] = [];
  for (let group = 0; group < source.layout.groupCount; group++) {
    const descriptor = await source.descriptors.primary(group);
    if (!descriptor.isChecksumRight || !source.descriptors.isPlausible(descriptor)) {
      throw new Failure("damaged", `cannot change the file system: the descriptor of group ${group} is broken`, {
        hint: "run e2fsck on it first",
      });
    }
    descriptors.push(descriptor);
  }
  return descriptors;
}

function superblockOf(reader: BlockReader): Promise<Uint8Array> {
  return readBytes(reader, superblockAt, superblock.sizeBytes);
}

function growthOf(before: ExtLayout, after: ExtLayout): SizeChange {
  return {
    beforeBytes: before.blockCount * before.blockSizeBytes,
    afterBytes: after.blockCount * after.blockSizeBytes,
  };
}
