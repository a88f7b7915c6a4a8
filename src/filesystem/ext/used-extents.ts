import { Bitmap } from "../../bytes/index.ts";
import type { Extent } from "../file-system.ts";
import { groupBlockCount, groupStart, leadingMetadataBlocks } from "./backup-groups.ts";
import type { GroupDescriptor } from "./descriptor-table.ts";
import { groupBlocksUninitialised } from "./group-descriptor.ts";
import type { ExtLayout } from "./layout.ts";
import type { ExtSource } from "./source.ts";

/** Which blocks are in use, as the block bitmaps say, neighbours joined. */
export async function* usedExtents(source: ExtSource): AsyncGenerator<Extent> {
  const { blockSizeBytes, firstDataBlock, groupCount, clusterBlocks } = source.layout;
  let open = { start: 0, end: firstDataBlock }; // what stands before the first block: a boot sector
  for (let group = 0; group < groupCount; group++) {
    const bitmap = await blockBitmap(source, await source.descriptors.of(group));
    const start = groupStart(source.layout, group);
    const groupEnd = start + groupBlockCount(source.layout, group);
    for (let n = bitmap.nextSet(0); n >= 0; n = bitmap.nextSet(n)) {
      const clear = bitmap.nextClear(n);
      const end = clear < 0 ? groupEnd : start + clear * clusterBlocks;
      if (start + n * clusterBlocks !== open.end) {
        if (open.end > open.start) yield extentOf(open, blockSizeBytes);
        open = { start: start + n * clusterBlocks, end };
      } else {
        open.end = end;
      }
      if (clear < 0) break;
      n = clear;
    }
  }
  if (open.end > open.start) yield extentOf(open, blockSizeBytes);
}

function extentOf(blocks: { readonly start: number; readonly end: number }, blockSizeBytes: number): Extent {
  return { startBytes: blocks.start * blockSizeBytes, lengthBytes: (blocks.end - blocks.start) * blockSizeBytes };
}

/** The bitmap of a group, one bit a cluster; made up where the group was never written to. */
export async function blockBitmap(source: ExtSource, descriptor: GroupDescriptor): Promise<Bitmap> {
  const { layout } = source;
  const clusters = Math.ceil(groupBlockCount(layout, descriptor.group) / layout.clusterBlocks);
  if ((descriptor.flags & groupBlocksUninitialised) !== 0) return uninitialisedBitmap(layout, descriptor, clusters);
  const block = await source.block(descriptor.blockBitmap, `the block bitmap of group ${descriptor.group}`);
  return new Bitmap(clusters, block);
}

/** A group that was never written to uses only its own structures. */
export function uninitialisedBitmap(layout: ExtLayout, descriptor: GroupDescriptor, clusters: number): Bitmap {
  const bitmap = new Bitmap(clusters);
  const start = groupStart(layout, descriptor.group);
  const end = start + groupBlockCount(layout, descriptor.group);
  const mark = (from: number, count: number) => {
    const first = Math.max(from, start);
    const last = Math.min(from + count, end) - 1;
    if (first > last) return;
    const firstCluster = Math.floor((first - start) / layout.clusterBlocks);
    bitmap.setRange(firstCluster, Math.floor((last - start) / layout.clusterBlocks) - firstCluster + 1);
  };
  mark(start, leadingMetadataBlocks(layout, descriptor.group));
  mark(descriptor.blockBitmap, 1);
  mark(descriptor.inodeBitmap, 1);
  mark(descriptor.inodeTable, layout.inodeTableBlocks);
  return bitmap;
}
