import { groupStart, leadingMetadataBlocks } from "./backup-groups.ts";
import type { CheckState } from "./check-state.ts";
import { hasFeature } from "./features.ts";

/** Who lays claim to blocks: for messages, and the inode where it is one. */
export interface Claimant {
  readonly what: string;
  readonly inode?: number;
}

/** Claims blocks for one owner; a block that has an owner already is a finding. */
export function claimBlocks(state: CheckState, block: number, count: number, claimant: Claimant): void {
  const { blocks, report, source } = state;
  const first = blocks.clusterOf(block);
  const last = blocks.clusterOf(block + count - 1);
  const taken = blocks.claim(first, last - first + 1);
  if (taken === undefined || hasFeature(source.layout.features, "shared_blocks")) return;
  const { clusterBlocks, firstDataBlock } = source.layout;
  const at = firstDataBlock + taken * clusterBlocks;
  const name = clusterBlocks === 1 ? `block ${at}` : `the cluster at block ${at}`;
  report.error(`${claimant.what}: ${name} belongs to something else too`, claimant.inode);
}

/** Claims what the file system itself takes in the groups of the window. */
export async function claimMetadata(state: CheckState): Promise<void> {
  const { source } = state;
  const { layout, descriptors } = source;
  // Structures of neighbouring groups stand side by side with flex_bg and may share a cluster with bigalloc.
  const claim = (block: number, count: number, what: string) => {
    if (layout.clusterBlocks === 1) claimBlocks(state, block, count, { what });
    else claimUnshared(state, block, count);
  };
  for (let group = 0; group < source.groupsOnDevice; group++) {
    const descriptor = await descriptors.of(group).catch(() => undefined); // told of by the check of the descriptors
    const leading = leadingMetadataBlocks(layout, group);
    if (leading > 0) claim(groupStart(layout, group), leading, `the superblock and descriptors of group ${group}`);
    if (descriptor === undefined) continue;
    claim(descriptor.blockBitmap, 1, `the block bitmap of group ${group}`);
    claim(descriptor.inodeBitmap, 1, `the inode bitmap of group ${group}`);
    claim(descriptor.inodeTable, layout.inodeTableBlocks, `the inode table of group ${group}`);
  }
  if (hasFeature(layout.features, "mmp")) {
    const block = layout.record.mmpBlockLow + layout.record.mmpBlockHigh * 2 ** 32;
    if (block > layout.firstDataBlock && block < layout.blockCount)
      claim(block, 1, "the block of multiple mount protection");
    else state.report.error(`the block of multiple mount protection is ${block} of ${layout.blockCount}`);
  }
}

/** Structures may share a cluster with each other. */
function claimUnshared(state: CheckState, block: number, count: number): void {
  const first = state.blocks.clusterOf(block);
  state.blocks.claim(first, state.blocks.clusterOf(block + count - 1) - first + 1);
}
