import { stopIfAborted, type JobOptions } from "../../../base/index.ts";
import { Bitmap } from "../../../bytes/index.ts";
import { readBytes, type BlockDevice } from "../../../device/index.ts";
import { groupBlockCount, groupStart, leadingMetadataBlocks } from "../backup-groups.ts";
import { writeStretches } from "../commit.ts";
import { hasFeature } from "../features.ts";
import { groupBlocksUninitialised, groupInodesUninitialised, groupInodeTableZeroed } from "../group-descriptor.ts";
import type { ExtLayout } from "../layout.ts";
import type { DescriptorImage } from "./descriptor-image.ts";
import type { GroupTables } from "./place-tables.ts";
import { RunsInOrder, runsOf } from "./table-runs.ts";

/** So many blocks are held before they are written. */
const heldBlocks = 1024;
const zeros = new Uint8Array(1024 * 1024);

/**
 * Writes the bitmaps and inode tables of new groups, to which nothing refers yet, and puts the groups into the image of
 * the descriptors. From `zeroFromBytes` on the device is known to be zero. Gives how many blocks are free in them.
 */
export async function writeNewGroups(
  device: BlockDevice,
  descriptors: DescriptorImage,
  tables: readonly GroupTables[],
  options: JobOptions & { readonly zeroFromBytes: number },
): Promise<number> {
  const { layout } = descriptors;
  const { blockSizeBytes, inodeTableBlocks } = layout;
  const out = new HeldBlocks(device, blockSizeBytes);
  const runs = new RunsInOrder(runsOf(layout, tables));
  let freeInAll = 0;
  for (const [n, one] of tables.entries()) {
    stopIfAborted(options.signal);
    const start = groupStart(layout, one.group);
    const bitmap = new Bitmap(groupBlockCount(layout, one.group), new Uint8Array(blockSizeBytes));
    bitmap.setRange(0, leadingMetadataBlocks(layout, one.group));
    for (const run of runs.within(start, start + bitmap.length)) bitmap.setRange(run.start - start, run.length);
    const freeBlocks = bitmap.length - bitmap.countSet();
    freeInAll += freeBlocks;
    const isLast = one.group === layout.groupCount - 1;
    const isZero = one.inodeTable * blockSizeBytes >= options.zeroFromBytes;
    const state = await writeBitmaps(out, layout, one, { bitmap, mayOmit: !isLast });
    if (!hasGroupChecksums(layout) && !isZero) {
      await makeZero(device, one.inodeTable * blockSizeBytes, inodeTableBlocks * blockSizeBytes);
    }
    const { blockBitmap, inodeBitmap, inodeTable } = one;
    descriptors.change(one.group, {
      blockBitmap,
      inodeBitmap,
      inodeTable,
      freeBlocks,
      freeInodes: layout.inodesPerGroup,
      directories: 0,
      unusedInodes: layout.inodesPerGroup,
      flags: state.flags | (isZero ? groupInodeTableZeroed : 0),
      ...(state.blockBitmapBytes === undefined ? {} : { blockBitmapBytes: state.blockBitmapBytes }),
    });
    const groupBytes = layout.blocksPerGroup * blockSizeBytes;
    options.onProgress?.({
      phase: "growing",
      doneBytes: (n + 1) * groupBytes,
      totalBytes: tables.length * groupBytes,
    });
  }
  await out.send();
  return freeInAll;
}

/** Whether flags can stand for what was never written. */
function hasGroupChecksums(layout: ExtLayout): boolean {
  return layout.hasChecksums || hasFeature(layout.features, "uninit_bg");
}

interface WrittenBitmaps {
  readonly flags: number;
  readonly blockBitmapBytes?: Uint8Array;
}

async function writeBitmaps(
  out: HeldBlocks,
  layout: ExtLayout,
  tables: GroupTables,
  blocks: { readonly bitmap: Bitmap; readonly mayOmit: boolean },
): Promise<WrittenBitmaps> {
  const hasFlags = hasGroupChecksums(layout);
  const { bitmap, mayOmit } = blocks;
  if (!hasFlags) {
    const inodes = new Bitmap(layout.blockSizeBytes * 8);
    inodes.setRange(layout.inodesPerGroup, inodes.length - layout.inodesPerGroup);
    await out.put(tables.inodeBitmap, inodes.bytes);
  }
  if (hasFlags && mayOmit && bitmap.countSet() === ownBlocksIn(layout, tables)) {
    return { flags: groupInodesUninitialised | groupBlocksUninitialised };
  }
  const whole = new Bitmap(layout.blockSizeBytes * 8, bitmap.bytes);
  whole.setRange(bitmap.length, whole.length - bitmap.length);
  await out.put(tables.blockBitmap, bitmap.bytes);
  return { flags: groupInodesUninitialised, blockBitmapBytes: bitmap.bytes };
}

/** What whoever finds no bitmap takes to be in use: the blocks of a group that are its own. */
function ownBlocksIn(layout: ExtLayout, { group, blockBitmap, inodeBitmap, inodeTable }: GroupTables): number {
  const start = groupStart(layout, group);
  const end = start + groupBlockCount(layout, group);
  const inside = (from: number, count: number) => Math.max(0, Math.min(from + count, end) - Math.max(from, start));
  const tables = inside(blockBitmap, 1) + inside(inodeBitmap, 1) + inside(inodeTable, layout.inodeTableBlocks);
  return leadingMetadataBlocks(layout, group) + tables;
}

/** Writes zeros where there are none: what was never written stays a hole in the file. */
async function makeZero(device: BlockDevice, startBytes: number, lengthBytes: number): Promise<void> {
  for (let at = startBytes; at < startBytes + lengthBytes; at += zeros.length) {
    const length = Math.min(zeros.length, startBytes + lengthBytes - at);
    const found = await readBytes(device, at, length);
    if (Buffer.compare(found, zeros.subarray(0, length)) !== 0) await device.zero(at, length);
  }
}

/** Blocks on their way to the device, many at a time. */
class HeldBlocks {
  readonly #device: BlockDevice;
  readonly #blockSizeBytes: number;
  readonly #held = new Map<number, Uint8Array>();

  constructor(device: BlockDevice, blockSizeBytes: number) {
    this.#device = device;
    this.#blockSizeBytes = blockSizeBytes;
  }

  async put(block: number, bytes: Uint8Array): Promise<void> {
    this.#held.set(block, bytes);
    if (this.#held.size >= heldBlocks) await this.send();
  }

  async send(): Promise<void> {
    const numbers = [...this.#held.keys()].sort((a, b) => a - b);
    await writeStretches(this.#device, this.#blockSizeBytes, numbers, this.#held);
    this.#held.clear();
  }
}
