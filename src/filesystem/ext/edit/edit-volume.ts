import { Failure } from "../../../base/index.ts";
import { Bitmap } from "../../../bytes/index.ts";
import type { BlockDevice } from "../../../device/index.ts";
import type { Timestamp } from "../../../tree/index.ts";
import { descriptorBlockAt, groupBlockCount, groupStart } from "../backup-groups.ts";
import { bitmapChecksum } from "../bitmap-checksum.ts";
import type { BlockRun } from "../block-allocator.ts";
import { CoalescingWriter } from "../../coalescing-writer.ts";
import { damaged } from "../../damaged.ts";
import { descriptorChecksum, type GroupDescriptor } from "../descriptor-table.ts";
import { hasFeature, type Feature } from "../features.ts";
import {
  groupBlocksUninitialised,
  groupDescriptor32,
  groupDescriptor64,
  groupInodesUninitialised,
} from "../group-descriptor.ts";
import type { InodeForm } from "../inode-encoder.ts";
import type { ExtLayout } from "../layout.ts";
import { ExtSource } from "../source.ts";
import { superblock, superblockAt } from "../superblock.ts";
import { QuotaUsage } from "./quota-usage.ts";
import { SuperblockChange } from "./superblock-change.ts";
import { Transaction } from "../transaction.ts";
import { uninitialisedBitmap } from "../used-extents.ts";

/** What changes in a group's descriptor. */
interface EditedGroup {
  readonly descriptor: GroupDescriptor;
  freeClusters: number;
  freeInodes: number;
  directories: number;
  unusedInodes: number;
  flags: number;
  isDirty: boolean;
}

/** Runs at least this long are looked for first, in blocks: a file is laid down in few pieces. */
const preferredRuns = [8192, 256, 1] as const;

/**
 * A file system whose blocks and inodes are being handed out and taken back. What is taken back stays untouchable
 * until the commit: until then the file system on the device still uses it.
 */
export class EditVolume {
  readonly layout: ExtLayout;
  readonly transaction: Transaction;
  /** Reads the file system as it will be. */
  readonly source: ExtSource;
  /** For data of files, past the transaction, into blocks that are free until the commit. */
  readonly out: CoalescingWriter;
  readonly now: Timestamp;
  /** Where the file system keeps account of what each owner uses. */
  readonly quota: QuotaUsage | undefined;
  readonly #groups = new Map<number, EditedGroup>();
  #released: BlockRun[] = [];
  #releasedInodes: { readonly id: number; readonly isDirectory: boolean }[] = [];
  /** What else is to change in the superblock than the counts of what is free. */
  readonly superblockChange = new SuperblockChange();
  #freeClusters: number;
  #freeInodes: number;
  /** What stands from here on is not handed out. */
  #endBlock: number;

  private constructor(device: BlockDevice, layout: ExtLayout, free: Totals, now: Timestamp) {
    this.layout = layout;
    this.now = now;
    this.transaction = new Transaction(device, layout.blockSizeBytes);
    this.out = new CoalescingWriter(device, layout.blockCount * layout.blockSizeBytes);
    const reader = {
      sizeBytes: device.sizeBytes,
      read: async (at: number, into: Uint8Array) => {
        await this.out.drain();
        await this.transaction.read(at, into);
      },
      async [Symbol.asyncDispose]() {},
    };
    this.source = new ExtSource(reader, layout, [], this.transaction);
    this.#freeClusters = free.clusters;
    this.#freeInodes = free.inodes;
    this.#endBlock = layout.blockCount;
    this.quota = hasFeature(layout.features, "quota") ? new QuotaUsage(this) : undefined;
  }

  static async open(device: BlockDevice, layout: ExtLayout, now: Timestamp): Promise<EditVolume> {
    return new EditVolume(device, layout, await totalsOf(new ExtSource(device, layout)), now);
  }

  get blockSizeBytes(): number {
    return this.layout.blockSizeBytes;
  }

  /** What the encoder of inodes wants to know. */
  get profile(): InodeForm["profile"] {
    return { inodeSizeBytes: this.layout.inodeSizeBytes, now: this.now, isReproducible: false };
  }

  get hasJournal(): boolean {
    return this.has("has_journal");
  }

  get freeBlocks(): number {
    return this.#freeClusters * this.layout.clusterBlocks;
  }

  has(feature: Feature): boolean {
    return hasFeature(this.layout.features, feature) || this.superblockChange.adds(feature);
  }

  /** Sets a feature bit that a file needs and that any program which can write here knows. */
  addFeature(feature: Feature): void {
    if (!this.has(feature)) this.superblockChange.addFeature(feature);
  }

  /** From now on hands out only blocks before this one, and inodes of groups that begin before it. */
  confine(endBlock: number): void {
    this.#endBlock = Math.min(endBlock, this.layout.blockCount);
  }

  /** From 1 to `wanted` adjacent blocks, near `goal` where that can be. Throws `no-space` where none is free. */
  async takeBlocks(goal: number, wanted: number): Promise<BlockRun> {
    const goalGroup = this.#groupOf(goal);
    const atGoal = await this.#runAt(goal, wanted);
    for (const preferred of preferredRuns) {
      const least = Math.min(wanted, preferred);
      if (atGoal !== undefined && atGoal.length >= least) return this.#take(atGoal);
      for (let step = 0; step < this.layout.groupCount; step++) {
        const group = (goalGroup + step) % this.layout.groupCount;
        if (groupStart(this.layout, group) >= this.#endBlock) continue;
        if ((await this.#group(group)).freeClusters < least) continue;
        const run = await this.#findRun(group, least, wanted);
        if (run !== undefined) return this.#take(run);
      }
    }
    throw new Failure("no-space", "cannot take more blocks: the file system is full", {
      hint: this.#released.length === 0 ? "remove something, or grow the disk" : releasedHint,
    });
  }

  /** Takes one block for structures; gives its number. */
  async takeBlock(goal: number): Promise<number> {
    return (await this.takeBlocks(goal, 1)).start;
  }

  /** Gives blocks back, with the commit. */
  release(run: BlockRun): void {
    this.transaction.forget(run.start, run.length);
    this.#released.push(run);
  }

  /** Where the data of an inode's file would best start. */
  goalOf(inode: number): number {
    return groupStart(this.layout, Math.floor((inode - 1) / this.layout.inodesPerGroup));
  }

  /** A free inode, near that of the directory it goes into. */
  async takeInode(directory: number, isDirectory: boolean): Promise<number> {
    const { inodesPerGroup, groupCount, firstInode } = this.layout;
    const first = Math.floor((directory - 1) / inodesPerGroup);
    for (let step = 0; step < groupCount; step++) {
      const number = (first + step) % groupCount;
      if (groupStart(this.layout, number) >= this.#endBlock) continue;
      const group = await this.#group(number);
      if (group.freeInodes === 0) continue;
      const bitmap = await this.#inodeBitmap(group);
      const n = bitmap.nextClear(number === 0 ? firstInode - 1 : 0);
      if (n < 0) continue;
      bitmap.set(n);
      this.#useInode(group, n, isDirectory);
      await this.#openInodeBlock(group, n);
      const id = number * inodesPerGroup + n + 1;
      this.quota?.noteTaken(id);
      return id;
    }
    throw new Failure("no-space", "cannot make another file: the file system has no free inode", {
      hint: this.#releasedInodes.length === 0 ? "remove some files" : releasedHint,
    });
  }

  /** Gives an inode back, with the commit. */
  releaseInode(id: number, isDirectory: boolean): void {
    this.#releasedInodes.push({ id, isDirectory });
    this.quota?.noteReleased(id);
  }

  /** Whether the bitmap has an inode as in use. */
  async isInodeInUse(id: number): Promise<boolean> {
    const { inodesPerGroup } = this.layout;
    const { flags, descriptor } = await this.#group(Math.floor((id - 1) / inodesPerGroup));
    if ((flags & groupInodesUninitialised) !== 0) return false;
    const bitmap = new Bitmap(inodesPerGroup, await this.transaction.block(descriptor.inodeBitmap));
    return bitmap.has((id - 1) % inodesPerGroup);
  }

  /** Where an inode stands: its block, and its place in it. */
  async inodePlace(id: number): Promise<{ readonly block: number; readonly at: number }> {
    const { inodesPerGroup, inodeSizeBytes, blockSizeBytes } = this.layout;
    const group = await this.#group(Math.floor((id - 1) / inodesPerGroup));
    const inTable = ((id - 1) % inodesPerGroup) * inodeSizeBytes;
    const block = group.descriptor.inodeTable + Math.floor(inTable / blockSizeBytes);
    return { block, at: inTable % blockSizeBytes };
  }

  /** Brings everything that sums the file system up into the transaction. */
  async prepare(): Promise<void> {
    await this.out.drain();
    await this.quota?.settle();
    for (const run of this.#released) await this.#clear(run);
    for (const { id, isDirectory } of this.#releasedInodes) await this.#clearInode(id, isDirectory);
    this.#released = [];
    this.#releasedInodes = [];
    for (const group of this.#groups.values()) if (group.isDirty) await this.#writeDescriptor(group);
    const { changed, fresh } = this.transaction;
    if (changed.size > 0 || fresh.size > 0 || this.superblockChange.isPending) await this.#writeSuperblock();
  }

  #groupOf(block: number): number {
    const { firstDataBlock, blocksPerGroup, groupCount } = this.layout;
    return Math.min(groupCount - 1, Math.max(0, Math.floor((block - firstDataBlock) / blocksPerGroup)));
  }

  async #group(number: number): Promise<EditedGroup> {
    const known = this.#groups.get(number);
    if (known !== undefined) return known;
    const descriptor = await this.source.descriptors.of(number);
    const { freeClusters, freeInodes, directories, unusedInodes, flags } = descriptor;
    const group = { descriptor, freeClusters, freeInodes, directories, unusedInodes, flags, isDirty: false };
    this.#groups.set(number, group);
    return group;
  }

  /** The free run that begins at a block, undefined where that is in use. */
  async #runAt(goal: number, wanted: number): Promise<BlockRun | undefined> {
    const number = this.#groupOf(goal);
    const start = groupStart(this.layout, number);
    const group = await this.#group(number);
    if (goal < start || group.freeClusters === 0) return undefined;
    const bitmap = await this.#blockBitmap(group);
    const first = goal - start;
    const limit = Math.min(bitmap.length, this.#endBlock - start);
    if (first >= limit || bitmap.has(first)) return undefined;
    const end = Math.min(limit, first + wanted);
    const used = bitmap.nextSet(first, end);
    return { start: goal, length: (used < 0 ? end : used) - first };
  }

  /** The first free run of a group with at least `least` blocks, `wanted` of it at most. */
  async #findRun(number: number, least: number, wanted: number): Promise<BlockRun | undefined> {
    const bitmap = await this.#blockBitmap(await this.#group(number));
    const limit = Math.min(bitmap.length, this.#endBlock - groupStart(this.layout, number));
    for (let first = bitmap.nextClear(0); first >= 0 && first < limit;) {
      const end = Math.min(limit, first + wanted);
      const used = bitmap.nextSet(first, end);
      const length = (used < 0 ? end : used) - first;
      if (length >= least) return { start: groupStart(this.layout, number) + first, length };
      if (used < 0) return undefined;
      first = bitmap.nextClear(used);
    }
    return undefined;
  }

  async #take(run: BlockRun): Promise<BlockRun> {
    const group = await this.#group(this.#groupOf(run.start));
    const bitmap = await this.#blockBitmap(group, "to change");
    bitmap.setRange(run.start - groupStart(this.layout, group.descriptor.group), run.length);
    group.freeClusters -= run.length;
    group.isDirty = true;
    this.#freeClusters -= run.length;
    this.transaction.forget(run.start, run.length);
    return run;
  }

  async #clear(run: BlockRun): Promise<void> {
    for (let done = 0; done < run.length;) {
      const group = await this.#group(this.#groupOf(run.start + done));
      const bitmap = await this.#blockBitmap(group, "to change");
      const first = run.start + done - groupStart(this.layout, group.descriptor.group);
      const length = Math.min(run.length - done, bitmap.length - first);
      if (bitmap.nextClear(first, first + length) >= 0) {
        const last = run.start + run.length - 1;
        throw damaged(`blocks ${run.start} to ${last}`, "a file has them, and the bitmap has some of them as free");
      }
      bitmap.clearRange(first, length);
      group.freeClusters += length;
      group.isDirty = true;
      this.#freeClusters += length;
      done += length;
    }
  }

  /** The bitmap of a group's blocks; "to change" brings it into the transaction, written or made up. */
  async #blockBitmap(group: EditedGroup, use: "to look" | "to change" = "to look"): Promise<Bitmap> {
    const { descriptor } = group;
    const length = groupBlockCount(this.layout, descriptor.group);
    if ((group.flags & groupBlocksUninitialised) === 0) {
      const { transaction } = this;
      const bytes = await (use === "to change"
        ? transaction.change(descriptor.blockBitmap)
        : transaction.block(descriptor.blockBitmap));
      return new Bitmap(length, bytes);
    }
    const madeUp = uninitialisedBitmap(this.layout, descriptor, length);
    if (use === "to look") return madeUp;
    const bytes = this.transaction.freshBlock(descriptor.blockBitmap); // nobody reads it while the flag is set
    bytes.set(madeUp.bytes);
    new Bitmap(bytes.length * 8, bytes).setRange(length, bytes.length * 8 - length);
    group.flags &= ~groupBlocksUninitialised;
    return new Bitmap(length, bytes);
  }

  /** The bitmap of a group's inodes, to be changed. */
  async #inodeBitmap(group: EditedGroup): Promise<Bitmap> {
    const { inodesPerGroup } = this.layout;
    const { inodeBitmap } = group.descriptor;
    if ((group.flags & groupInodesUninitialised) === 0) {
      return new Bitmap(inodesPerGroup, await this.transaction.change(inodeBitmap));
    }
    const bytes = this.transaction.freshBlock(inodeBitmap);
    new Bitmap(bytes.length * 8, bytes).setRange(inodesPerGroup, bytes.length * 8 - inodesPerGroup);
    group.flags &= ~groupInodesUninitialised;
    await this.#blockBitmap(group, "to change"); // the kernel too takes both up together
    return new Bitmap(inodesPerGroup, bytes);
  }

  #useInode(group: EditedGroup, n: number, isDirectory: boolean): void {
    group.freeInodes--;
    this.#freeInodes--;
    if (isDirectory) group.directories++;
    group.isDirty = true;
    // What lies beyond was never used; the table need not be zero there.
    this.#initialisedBefore.set(group.descriptor.group, this.layout.inodesPerGroup - group.unusedInodes);
    group.unusedInodes = Math.min(group.unusedInodes, this.layout.inodesPerGroup - n - 1);
  }

  readonly #initialisedBefore = new Map<number, number>();

  /** A block of the inode table that was never used may hold anything: it starts anew, and nobody looks at it yet. */
  async #openInodeBlock(group: EditedGroup, n: number): Promise<void> {
    if (!this.source.descriptors.hasGroupChecksums) return;
    const perBlock = this.blockSizeBytes / this.layout.inodeSizeBytes;
    const inTable = Math.floor(n / perBlock);
    const initialised = this.#initialisedBefore.get(group.descriptor.group) ?? 0;
    if (inTable * perBlock < initialised) return;
    this.transaction.freshBlock(group.descriptor.inodeTable + inTable);
  }

  async #clearInode(id: number, isDirectory: boolean): Promise<void> {
    const { inodesPerGroup } = this.layout;
    const group = await this.#group(Math.floor((id - 1) / inodesPerGroup));
    const bitmap = await this.#inodeBitmap(group);
    const n = (id - 1) % inodesPerGroup;
    if (!bitmap.has(n)) throw damaged(`inode ${id}`, "it is in use, and the bitmap has it as free");
    bitmap.clear(n);
    group.freeInodes++;
    this.#freeInodes++;
    if (isDirectory) group.directories--;
    group.isDirty = true;
  }

  async #writeDescriptor(group: EditedGroup): Promise<void> {
    const { layout, transaction } = this;
    const { descriptor } = group;
    const perBlock = layout.blockSizeBytes / layout.descriptorSizeBytes;
    const block = await transaction.change(
      descriptorBlockAt(layout, Math.floor(descriptor.group / perBlock), "primary"),
    );
    const at = (descriptor.group % perBlock) * layout.descriptorSizeBytes;
    const bytes = block.subarray(at, at + layout.descriptorSizeBytes);
    const low = (value: number) => value & 0xffff;
    const hasSums = this.source.descriptors.hasGroupChecksums;
    groupDescriptor32.patch(bytes, {
      freeBlockCountLow: low(group.freeClusters),
      freeInodeCountLow: low(group.freeInodes),
      directoryCountLow: low(group.directories),
      ...(hasSums ? { flags: group.flags, unusedInodeCountLow: low(group.unusedInodes) } : {}),
    });
    const isWide = layout.descriptorSizeBytes >= groupDescriptor64.sizeBytes;
    if (isWide) {
      groupDescriptor64.patch(bytes, {
        freeBlockCountHigh: group.freeClusters >>> 16,
        freeInodeCountHigh: group.freeInodes >>> 16,
        directoryCountHigh: group.directories >>> 16,
        ...(hasSums ? { unusedInodeCountHigh: group.unusedInodes >>> 16 } : {}),
      });
    }
    if (layout.hasChecksums) await this.#patchBitmapChecksums(group, bytes, isWide);
    if (hasSums) groupDescriptor32.patch(bytes, { checksum: descriptorChecksum(layout, descriptor.group, bytes) });
    group.isDirty = false;
    this.source.descriptors.forget(descriptor.group);
  }

  async #patchBitmapChecksums(group: EditedGroup, bytes: Uint8Array, isWide: boolean): Promise<void> {
    const { layout, transaction } = this;
    const { blockBitmap, inodeBitmap } = group.descriptor;
    if ((group.flags & groupBlocksUninitialised) === 0) {
      const length = layout.blocksPerGroup / layout.clusterBlocks / 8;
      const sum = bitmapChecksum(layout, (await transaction.block(blockBitmap)).subarray(0, length));
      groupDescriptor32.patch(bytes, { blockBitmapChecksumLow: sum & 0xffff });
      if (isWide) groupDescriptor64.patch(bytes, { blockBitmapChecksumHigh: sum >>> 16 });
    }
    if ((group.flags & groupInodesUninitialised) === 0) {
      const length = layout.inodesPerGroup / 8;
      const sum = bitmapChecksum(layout, (await transaction.block(inodeBitmap)).subarray(0, length));
      groupDescriptor32.patch(bytes, { inodeBitmapChecksumLow: sum & 0xffff });
      if (isWide) groupDescriptor64.patch(bytes, { inodeBitmapChecksumHigh: sum >>> 16 });
    }
  }

  async #writeSuperblock(): Promise<void> {
    const { blockSizeBytes } = this.layout;
    const block = await this.transaction.change(Math.floor(superblockAt / blockSizeBytes));
    const at = superblockAt % blockSizeBytes;
    const bytes = block.subarray(at, at + superblock.sizeBytes);
    this.superblockChange.apply(bytes);
    superblock.patch(bytes, {
      freeBlockCountLow: this.freeBlocks % 2 ** 32,
      ...(this.layout.has64bit ? { freeBlockCountHigh: Math.floor(this.freeBlocks / 2 ** 32) } : {}),
      freeInodeCount: this.#freeInodes,
      writeTime: this.now.seconds >>> 0,
    });
  }
}

const releasedHint = "what was removed makes room only for the next command: make the changes in two";

interface Totals {
  readonly clusters: number;
  readonly inodes: number;
}

/** The superblock's own totals may be outdated; the sums of the groups are not. */
async function totalsOf(source: ExtSource): Promise<Totals> {
  const totals = { clusters: 0, inodes: 0 };
  for (let group = 0; group < source.layout.groupCount; group++) {
    const { freeClusters, freeInodes } = await source.descriptors.of(group);
    totals.clusters += freeClusters;
    totals.inodes += freeInodes;
  }
  return totals;
}
