import { CheckReport } from "../check-report.ts";
import type { DirectoryItem, Problem } from "../file-system.ts";
import { pathsOf } from "../paths-of.ts";
import { BlockUse } from "./block-use.ts";
import { checkBlockBitmaps, checkTotals } from "./check-bitmaps.ts";
import { checkDirectories, checkLinks, checkParents } from "./check-directories.ts";
import { checkInodes, claimInWindow } from "./check-inodes.ts";
import { findDamage, type CheckState } from "./check-state.ts";
import { checkSuperblocks } from "./check-superblock.ts";
import { listDirectory } from "./directory-reader.ts";
import { rootInode } from "./inode.ts";
import { readInode } from "./inode-reader.ts";
import { InodeUse } from "./inode-use.ts";
import { orphansOf } from "./orphans.ts";
import type { ExtSource } from "./source.ts";

/** With more inodes in use than this, directories and link counts are not compared: they would take too much memory. */
const comparedInodeLimit = 8_000_000;

/**
 * Everything that is wrong with a file system: descriptors, inodes, maps, attributes, directories and their
 * indexes, link counts, bitmaps, and all their checksums. Notes of the reader come first, as warnings.
 */
export async function* checkExt(source: ExtSource, wasReplayed: boolean): AsyncGenerator<Problem> {
  const report = new CheckReport();
  for (const note of source.notes) report.warning(note);
  const state: CheckState = {
    source,
    report,
    inodes: new InodeUse(source.layout),
    orphans: await findOrphans(source, report),
    blocks: new BlockUse(source.layout, 0),
    sharedBlocks: new Map(),
    claimedShared: new Set(),
    valueInodes: new Set(),
    upward: new Map(),
    totals: { freeInodes: 0, freeClusters: 0 },
  };
  await checkSuperblocks(state);
  await checkInodes(state);
  await checkBlockBitmaps(state);
  await checkNames(state);
  while (state.blocks.endGroup < source.groupsOnDevice) {
    state.blocks = new BlockUse(source.layout, state.blocks.endGroup);
    state.claimedShared.clear();
    await claimInWindow(state);
    await checkBlockBitmaps(state);
  }
  checkTotals(state, wasReplayed);
  const list = (id: number) => listIn(source, id);
  const isDirectory = async (id: number) => (await readInode(source, id)).kind === "directory";
  yield* report.problems((wanted) => pathsOf({ rootId: rootInode, list, isDirectory }, wanted));
}

async function findOrphans(source: ExtSource, report: CheckReport): Promise<ReadonlySet<number>> {
  let orphans: ReadonlySet<number> = new Set();
  await findDamage(report, undefined, async () => {
    orphans = await orphansOf(source);
  });
  return orphans;
}

async function checkNames(state: CheckState): Promise<void> {
  if (state.inodes.count > comparedInodeLimit) {
    state.report.warning(
      `directories and link counts were not compared: there are ${state.inodes.count} inodes in use`,
    );
    return;
  }
  await checkDirectories(state);
  checkParents(state);
  checkLinks(state);
}

async function* listIn(source: ExtSource, id: number): AsyncGenerator<readonly DirectoryItem[]> {
  yield* listDirectory(source, await readInode(source, id));
}
