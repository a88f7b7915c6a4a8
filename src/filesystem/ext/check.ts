import type { Problem } from "../file-system.ts";
import { BlockUse } from "./block-use.ts";
import { checkBlockBitmaps, checkTotals } from "./check-bitmaps.ts";
import { checkDirectories, checkLinks, checkParents } from "./check-directories.ts";
import { checkInodes, claimInWindow } from "./check-inodes.ts";
import { pathsOf } from "./check-paths.ts";
import { Report } from "./check-report.ts";
import { findDamage, type CheckState } from "./check-state.ts";
import { checkSuperblocks } from "./check-superblock.ts";
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
  const report = new Report();
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
  yield* withPaths(source, report);
}

async function findOrphans(source: ExtSource, report: Report): Promise<ReadonlySet<number>> {
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

/** The findings, with the path of the file where there is one. */
async function* withPaths(source: ExtSource, report: Report): AsyncGenerator<Problem> {
  const wanted = new Set(report.findings.flatMap(({ inode }) => (inode === undefined ? [] : [inode])));
  const paths = wanted.size === 0 ? new Map<number, string>() : await pathsOf(source, wanted);
  for (const { severity, message, inode } of report.findings) {
    const path = inode === undefined ? undefined : paths.get(inode);
    yield { severity, message: path === undefined ? message : `${message} (${path})` };
  }
  if (report.dropped > 0) yield { severity: "error", message: `and ${report.dropped} more` };
}
