import { CheckReport } from "../check-report.ts";
import type { DirectoryItem, Problem } from "../file-system.ts";
import { pathsOf } from "../paths-of.ts";
import { BlockUse } from "./block-use.ts";
import { checkDirectory, checkLinks, checkParents } from "./check-directories.ts";
import { checkInodes } from "./check-inodes.ts";
import { checkInodeTrees } from "./check-inode-trees.ts";
import { checkSpaceTrees } from "./check-space-trees.ts";
import { claimBlocks, type CheckState } from "./check-state.ts";
import { hasUnknownReadOnly } from "./features.ts";
import { groupLength } from "./group-headers.ts";
import { chunkInodes, InodeChunks } from "./inode-chunks.ts";
import { listDirectory } from "./directory.ts";
import { readInode } from "./inode.ts";
import { InodeUse } from "./inode-use.ts";
import { isCopySound } from "./superblock.ts";
import { pendingLog } from "./open.ts";
import type { XfsSource } from "./xfs-source.ts";

/** So many blocks are looked at together; for more, the inodes are gone through again. */
const windowBlocks = 2 ** 29;
/** With more inodes than this, directories and link counts are not compared: they would take too much memory. */
const comparedInodeLimit = 8_000_000;

/**
 * Everything that is wrong with an XFS: headers and trees of its groups, inodes, the maps of files, attributes,
 * directories and their indexes, link counts, counters, and all checksums. What opening came upon comes first. Where the
 * log waits, nothing on the disk needs to agree before it is replayed: then only that is told.
 */
export async function* checkXfs(source: XfsSource, problems: readonly string[]): AsyncGenerator<Problem> {
  const report = new CheckReport();
  for (const message of problems) report.error(message);
  if (source.isLogPending) report.warning(pendingLog);
  else if (source.layout.sizeBytes <= source.reader.sizeBytes) await checkAll(source, report);
  const list = (id: number) => listIn(source, id);
  const isDirectory = async (id: number) => (await readInode(source, id)).kind === "directory";
  yield* report.problems((wanted) => pathsOf({ rootId: source.layout.rootInode, list, isDirectory }, wanted));
}

async function checkAll(source: XfsSource, report: CheckReport): Promise<void> {
  const state: CheckState = {
    source,
    report,
    chunks: new InodeChunks(),
    inodeTreeBlocks: new Map(),
    unknownGroups: new Set(),
    unlinked: new Set(),
    totals: { inodes: 0, freeInodes: 0, freeBlocks: 0 },
    blocks: new BlockUse(0, 0, false),
  };
  const { groupCount, groupBlocks } = source.layout;
  for (let group = 0; group < groupCount; group++) {
    await checkCopy(state, group);
    await checkInodeTrees(state, group);
  }
  const groupsAtOnce = Math.max(1, Math.floor(windowBlocks / groupBlocks));
  for (let group = 0; group < groupCount; group += groupsAtOnce) {
    await checkGroups(state, group, Math.min(group + groupsAtOnce, groupCount));
  }
  checkTotals(state);
}

/** Only repairs need the copies of the superblock. */
async function checkCopy({ source, report }: CheckState, group: number): Promise<void> {
  if (group === 0 || (await isCopySound(source.reader, source.layout.superblock, group))) return;
  report.warning(`the copy of the superblock in XFS allocation group ${group} is damaged`);
}

/** Gives every block of these groups its owner. The first time, looks at all inodes and directories too. */
async function checkGroups(state: CheckState, from: number, to: number): Promise<void> {
  const { layout } = state.source;
  const { groupBlocks } = layout;
  const end = (to - 1) * groupBlocks + groupLength(layout.superblock, to - 1);
  state.blocks = new BlockUse(from * groupBlocks, end, layout.hasReferenceTree);
  for (let group = from; group < to; group++) await checkSpaceTrees(state, group);
  claimLog(state);
  if (from === 0) await checkFiles(state);
  else await checkInodes(state, undefined);
  checkReferences(state);
  for (let group = from; group < to; group++) checkLost(state, group);
}

function claimLog(state: CheckState): void {
  const { log, blockBytes } = state.source.layout;
  claimBlocks(state, log.at / blockBytes, log.lengthBytes / blockBytes, "the log");
}

async function checkFiles(state: CheckState): Promise<void> {
  const { chunks, report, totals } = state;
  if (chunks.length * chunkInodes > comparedInodeLimit) {
    report.warning(`directories and link counts were not compared: there are ${totals.inodes} inodes`);
    await checkInodes(state, undefined);
    return;
  }
  const use = new InodeUse(chunks);
  for (const id of await checkInodes(state, use)) await report.attempt(() => checkDirectory(state, use, id), id);
  checkParents(state, use);
  checkLinks(state, use);
}

function checkReferences({ blocks, report, unknownGroups }: CheckState): void {
  const { sharedClaims, expectedClaims } = blocks;
  if (sharedClaims === expectedClaims || unknownGroups.size > 0) return;
  const message = `files share ${sharedClaims} blocks, and ${expectedClaims} are said to be shared`;
  if (sharedClaims > expectedClaims) report.error(message);
  else report.warning(message);
}

/** Blocks that nobody has are only lost room. */
function checkLost({ source, blocks, report, unknownGroups }: CheckState, group: number): void {
  const { groupBlocks, superblock } = source.layout;
  if (unknownGroups.has(group) || hasUnknownReadOnly(superblock)) return;
  const lost = blocks.countLost(group * groupBlocks, groupLength(superblock, group));
  if (lost > 0) report.warning(`${lost} blocks of XFS allocation group ${group} are neither free nor in use`);
}

/** The superblock's own counters are made anew from the groups when the log is replayed. */
function checkTotals({ source, report, totals, unknownGroups }: CheckState): void {
  if (unknownGroups.size > 0 || !source.hasCounters) return;
  const { inodeCount, freeInodes, freeBlocks } = source.layout.superblock;
  for (const [what, said, counted] of [
    ["inodes", inodeCount, totals.inodes],
    ["free inodes", freeInodes, totals.freeInodes],
    ["free blocks", freeBlocks, totals.freeBlocks],
  ] as const) {
    if (said !== counted)
      report.warning(`the superblock says that there are ${said} ${what}, and there are ${counted}`);
  }
}

async function* listIn(source: XfsSource, id: number): AsyncGenerator<readonly DirectoryItem[]> {
  yield* listDirectory(source, await readInode(source, id));
}
