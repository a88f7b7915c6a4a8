import { hasFeature } from "./features.ts";
import type { ExtLayout } from "./layout.ts";

/** Whether a group starts with a copy of the superblock (kernel documentation, blockgroup.rst and special groups). */
export function hasSuperblockCopy(layout: ExtLayout, group: number): boolean {
  if (group === 0) return true;
  if (hasFeature(layout.features, "sparse_super2")) return layout.record.backupGroups.includes(group);
  if (!hasFeature(layout.features, "sparse_super")) return true;
  return group === 1 || isPowerOf(3, group) || isPowerOf(5, group) || isPowerOf(7, group);
}

function isPowerOf(base: number, value: number): boolean {
  let power = base;
  while (power < value) power *= base;
  return power === value;
}

export function groupStart(layout: ExtLayout, group: number): number {
  return layout.firstDataBlock + group * layout.blocksPerGroup;
}

export function groupBlockCount(layout: ExtLayout, group: number): number {
  return Math.min(layout.blocksPerGroup, layout.blockCount - groupStart(layout, group));
}

/** Where block `n` of the descriptor table stands: the one in use, or the first copy of it. */
export function descriptorBlockAt(layout: ExtLayout, n: number, which: "primary" | "copy"): number {
  const perBlock = layout.blockSizeBytes / layout.descriptorSizeBytes;
  const isMeta = hasFeature(layout.features, "meta_bg") && n >= layout.record.firstMetaBlockGroup;
  if (!isMeta) {
    if (which === "primary") return layout.superblockBlock + 1 + n;
    return groupStart(layout, firstCopyGroup(layout)) + 1 + n;
  }
  const group = n * perBlock + (which === "primary" ? 0 : 1);
  const first = group === 0 ? layout.superblockBlock : groupStart(layout, group);
  return first + (hasSuperblockCopy(layout, group) ? 1 : 0);
}

function firstCopyGroup(layout: ExtLayout): number {
  if (!hasFeature(layout.features, "sparse_super2")) return 1;
  return Math.max(1, layout.record.backupGroups[0] ?? 1);
}

/** How many blocks a group begins with that hold copies of the superblock and the descriptors, and room for them. */
export function leadingMetadataBlocks(layout: ExtLayout, group: number): number {
  const hasCopy = hasSuperblockCopy(layout, group);
  const perBlock = layout.blockSizeBytes / layout.descriptorSizeBytes;
  const metaGroup = Math.floor(group / perBlock);
  const hasMeta = hasFeature(layout.features, "meta_bg");
  const firstBlockIsBeforeSuperblock = group === 0 && layout.superblockBlock > layout.firstDataBlock ? 1 : 0;
  if (hasMeta && metaGroup >= layout.record.firstMetaBlockGroup) {
    const inMetaGroup = group % perBlock;
    const hasDescriptors = inMetaGroup === 0 || inMetaGroup === 1 || inMetaGroup === perBlock - 1;
    return (hasCopy ? 1 : 0) + (hasDescriptors ? 1 : 0) + firstBlockIsBeforeSuperblock;
  }
  if (!hasCopy) return 0;
  const tableBlocks = hasMeta
    ? Math.min(layout.descriptorBlocks, layout.record.firstMetaBlockGroup)
    : layout.descriptorBlocks;
  return 1 + tableBlocks + layout.record.reservedGdtBlocks + firstBlockIsBeforeSuperblock;
}
