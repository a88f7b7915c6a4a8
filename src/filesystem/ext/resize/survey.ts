import { Bitmap } from "../../../bytes/index.ts";
import { groupBlockCount, groupStart, leadingMetadataBlocks } from "../backup-groups.ts";
import { fileRuns } from "../block-runs.ts";
import type { GroupDescriptor } from "../descriptor-table.ts";
import { hasFeature } from "../features.ts";
import { resizeInode } from "../inode.ts";
import { readInode } from "../inode-reader.ts";
import type { ExtLayout } from "../layout.ts";
import type { ExtSource } from "../source.ts";
import { blockBitmap } from "../used-extents.ts";
import { canMoveInodes } from "./move-inodes.ts";
import { doubleIndirectBlock } from "./resize-inode.ts";
import { RunsInOrder, runsOf } from "./table-runs.ts";

/** What is in use of one group. */
interface GroupUse {
  readonly free: number;
  /** Blocks in use that are not structures of groups: what belongs to files. */
  readonly data: number;
}

/** Something that stays where it is. */
export interface Pinned {
  readonly what: string;
  /** One past its last block. */
  readonly endBlock: number;
}

/** What stands where in a file system that is to become smaller. */
export interface Survey {
  readonly source: ExtSource;
  readonly descriptors: readonly GroupDescriptor[];
  readonly groups: readonly GroupUse[];
  readonly pinned: readonly Pinned[];
  /** One past the last block of the journal; 0 where there is none. */
  readonly journalEnd: number;
  /** As many groups are needed for the inodes in use, be it that they stay where they are. */
  readonly groupsForInodes: number;
  readonly canMoveInodes: boolean;
}

/** Looks at the bitmaps of all groups, and at what cannot be moved. */
export async function survey(source: ExtSource, descriptors: readonly GroupDescriptor[]): Promise<Survey> {
  const groups: GroupUse[] = [];
  for await (const { used, structures } of bitmapsOf(source, descriptors)) {
    const inUse = used.countSet();
    groups.push({ free: used.length - inUse, data: inUse - structures.countSet() });
  }
  const { features, record } = source.layout;
  const journalEnd = hasFeature(features, "has_journal") ? await endOfFile(source, record.journalInode) : 0;
  return {
    source,
    descriptors,
    groups,
    pinned: await pinnedIn(source),
    journalEnd,
    groupsForInodes: groupsForInodes(source.layout, descriptors),
    canMoveInodes: canMoveInodes(source.layout),
  };
}

function groupsForInodes(layout: ExtLayout, descriptors: readonly GroupDescriptor[]): number {
  const { inodesPerGroup, features, record } = layout;
  const last = descriptors.findLast(({ freeInodes }) => freeInodes < inodesPerGroup)?.group ?? 0;
  if (!canMoveInodes(layout)) return last + 1;
  const inUse = descriptors.reduce((sum, { freeInodes }) => sum + inodesPerGroup - freeInodes, 0);
  // Nobody but the superblock knows the number of the orphan file.
  const highest = hasFeature(features, "orphan_file") ? record.orphanFileInode : 0;
  return Math.ceil(Math.max(inUse, highest, 1) / inodesPerGroup);
}

/** For each group from `first` on the blocks in use, and those among them that are structures of this or other groups. */
export async function* bitmapsOf(
  source: ExtSource,
  descriptors: readonly GroupDescriptor[],
  first = 0,
): AsyncGenerator<{ readonly group: number; readonly used: Bitmap; readonly structures: Bitmap }> {
  const { layout } = source;
  const runs = new RunsInOrder(runsOf(layout, descriptors));
  for (const descriptor of descriptors.slice(first)) {
    const { group } = descriptor;
    const start = groupStart(layout, group);
    const structures = new Bitmap(groupBlockCount(layout, group));
    structures.setRange(0, leadingMetadataBlocks(layout, group));
    for (const run of runs.within(start, start + structures.length)) structures.setRange(run.start - start, run.length);
    yield { group, used: await blockBitmap(source, descriptor), structures };
  }
}

/** The checksums of the orphan file are of its places; the resize inode is not a file. */
async function pinnedIn(source: ExtSource): Promise<Pinned[]> {
  const { features, record } = source.layout;
  const pinned: Pinned[] = [];
  if (hasFeature(features, "orphan_file")) {
    pinned.push({ what: "its orphan file", endBlock: await endOfFile(source, record.orphanFileInode) });
  }
  if (hasFeature(features, "resize_inode") && record.reservedGdtBlocks > 0) {
    pinned.push({ what: `inode ${resizeInode}`, endBlock: (await doubleIndirectBlock(source)) + 1 });
  }
  return pinned;
}

async function endOfFile(source: ExtSource, id: number): Promise<number> {
  let end = 0;
  const look = (block: number, count: number): void => void (end = Math.max(end, block + count));
  const runs = fileRuns(source, await readInode(source, id), (block) => look(block, 1));
  for await (const { physical, count } of runs) look(physical, count);
  return end;
}
