import { Failure } from "../../../base/index.ts";
import type { BlockDevice, BlockReader } from "../../../device/index.ts";
import type { ShrinkOptions, SizeChange } from "../../resize.ts";
import { Committer } from "../commit.ts";
import { clearOrphans } from "../edit/clear-orphans.ts";
import { EditVolume } from "../edit/edit-volume.ts";
import { hasFeature } from "../features.ts";
import { openJournal } from "../journal-log.ts";
import { JournalWriter } from "../journal-writer.ts";
import type { ExtLayout } from "../layout.ts";
import { openExt } from "../open.ts";
import { recoverJournal } from "../recover.ts";
import { ExtSource } from "../source.ts";
import { superblock } from "../superblock.ts";
import { SuperblockWriter } from "../superblock-writer.ts";
import { Transaction } from "../transaction.ts";
import { commitSize, forgetOverhead } from "./commit-size.ts";
import { cutGroups } from "./cut-groups.ts";
import { DescriptorImage } from "./descriptor-image.ts";
import { evacuate } from "./evacuate.ts";
import { openForResize, sizeChangeOf, soundDescriptors, superblockOf } from "./open-for-resize.ts";
import { moveInodes } from "./move-inodes.ts";
import { moveJournal } from "./move-journal.ts";
import { planShrink, type ShrinkPlan } from "./plan-shrink.ts";
import { survey } from "./survey.ts";
import { areCopiesCurrent, refreshCopies, writeCopies } from "./write-copies.ts";

/** Says how an ext file system would shrink, without changing anything. Throws where it cannot, or not as far. */
export async function planExtShrink(reader: BlockReader, sizeBytes: number | undefined): Promise<SizeChange> {
  const { bytes, layout } = await openForResize(reader, { verb: "shrink" });
  refuseUnshrinkable(layout);
  const plan = await planFor(reader, layout, { bytes, sizeBytes });
  return sizeChangeOf(layout, plan?.after ?? layout);
}

/**
 * Shrinks an ext2, ext3 or ext4 file system: moves what files have behind the new end to before it, in transactions of
 * bounded size, then cuts it off in one more. Between any two of them it is whole, and as large as before.
 */
export async function shrinkExt(device: BlockDevice, options: ShrinkOptions): Promise<SizeChange> {
  const { layout: found } = await openForResize(device, { verb: "shrink" });
  refuseUnshrinkable(found);
  await refuseFaulty(device); // first, for it knows that the counts of a superblock are old while a journal waits
  const layout = await clearOrphans(device, await recoverJournal(device, found), options.now);
  const bytes = await superblockOf(device);
  const plan = await planFor(device, layout, { bytes, sizeBytes: options.sizeBytes });
  if (plan === undefined) {
    if (!(await areCopiesCurrent(device, layout))) await refreshCopies(device, layout, await superblockOf(device));
    return sizeChangeOf(layout, layout);
  }
  await moveFiles(device, plan, options);
  const endBlock = plan.after.blockCount;
  if (plan.movesJournal) await moveJournal(device, plan.before, { endBlock, now: options.now });
  await cutOff(device, plan, options);
  return sizeChangeOf(plan.before, plan.after);
}

/** What is moved has to be what there is: a file system with any fault is left alone, as resize2fs leaves it. */
async function refuseFaulty(device: BlockDevice): Promise<void> {
  const fileSystem = await openExt(device);
  for await (const { severity, message } of fileSystem.check()) {
    if (severity !== "error") continue;
    throw new Failure("damaged", `cannot shrink the file system: ${message}`, { hint: "run e2fsck on it first" });
  }
}

function refuseUnshrinkable({ features, blockCount }: ExtLayout): void {
  if (blockCount >= 2 ** 32) {
    throw new Failure("unsupported", `cannot shrink the file system: it has ${blockCount} blocks, 2^32 or more`);
  }
  if (!hasFeature(features, "stable_inodes")) return;
  throw new Failure(
    "unsupported",
    "cannot shrink the file system: it uses stable_inodes, so it may not become smaller",
  );
}

async function planFor(
  reader: BlockReader,
  layout: ExtLayout,
  wanted: { readonly bytes: Uint8Array; readonly sizeBytes: number | undefined },
): Promise<ShrinkPlan | undefined> {
  const source = new ExtSource(reader, layout);
  const found = await survey(source, await soundDescriptors(source));
  const { bytes, sizeBytes } = wanted;
  const blockCount = sizeBytes === undefined ? undefined : Math.floor(sizeBytes / layout.blockSizeBytes);
  return planShrink(bytes, found, blockCount);
}

/** Moves inodes and data to before the new end. */
async function moveFiles(device: BlockDevice, plan: ShrinkPlan, options: ShrinkOptions): Promise<void> {
  const { before, after } = plan;
  const { signal, onProgress, now } = options;
  const job = { ...(signal === undefined ? {} : { signal }), ...(onProgress === undefined ? {} : { onProgress }) };
  const volume = await EditVolume.open(device, before, now);
  const journal = hasFeature(before.features, "has_journal")
    ? new JournalWriter(device, await openJournal(new ExtSource(device, before)))
    : undefined;
  const committer = new Committer(volume.transaction, await SuperblockWriter.open(device), journal);
  volume.confine(after.blockCount);
  await moveInodes(volume, committer, { ...job, lastInode: after.inodeCount });
  if (plan.dataBlocks === 0) return;
  await evacuate(volume, committer, {
    endBlock: after.blockCount,
    expectedBlocks: plan.dataBlocks,
    ...job,
  });
}

/** Cuts off groups, and blocks of the last one, that nothing is in. */
async function cutOff(device: BlockDevice, plan: ShrinkPlan, { now }: ShrinkOptions): Promise<void> {
  const { before, after } = plan;
  const transaction = new Transaction(device, before.blockSizeBytes);
  const source = new ExtSource(transaction, before, [], transaction);
  const old = await soundDescriptors(source);
  const descriptors = await DescriptorImage.read(device, before, after);
  const free = await cutGroups({ transaction, source, before, after, descriptors, old });
  const current = Uint8Array.from(plan.superblock);
  superblock.patch(current, {
    freeBlockCountLow: free.blocks % 2 ** 32,
    ...(after.has64bit ? { freeBlockCountHigh: Math.floor(free.blocks / 2 ** 32) } : {}),
    freeInodeCount: free.inodes,
    writeTime: now.seconds >>> 0,
  });
  for (const { block, bytes } of descriptors.primaries()) {
    if (Buffer.compare(await transaction.block(block), bytes) !== 0) (await transaction.change(block)).set(bytes);
  }
  await forgetOverhead(device);
  await commitSize(device, transaction, { layout: before, superblock: current, now, isRepeatable: false });
  await writeCopies(device, descriptors, await superblockOf(device), { first: 1, end: after.groupCount });
  await device.flush();
}
