import { checkAttributeIndex, readAttributes } from "./attributes.ts";
import { claimBlocks, linearOf, linearOfNumber, type CheckState } from "./check-state.ts";
import { typeOfKind } from "./check-directories.ts";
import { CheckReport } from "../check-report.ts";
import { damaged } from "../damaged.ts";
import { forkRuns, inlineRuns } from "./fork-runs.ts";
import { chunkInodes, isHole, isInUse, type InodeChunk } from "./inode-chunks.ts";
import type { InodeUse } from "./inode-use.ts";
import { decodeInode, deviceOf, forkFormats, inodePlace, type Fork, type XfsInode } from "./inode.ts";
import { blockPlace } from "./layout.ts";
import { readTarget } from "./symlink.ts";

/** Takes the blocks of all inodes in use. With `use`, looks also at what they are and say; gives the directories then. */
export async function checkInodes(state: CheckState, use: InodeUse | undefined): Promise<readonly number[]> {
  const directories: number[] = [];
  claimChunks(state);
  for await (const inode of inodesInUse(state, use !== undefined)) {
    await state.report.attempt(() => checkInode(state, inode, use !== undefined), inode.id);
    use?.add(inode.id, typeOfKind(inode.kind), inode.links);
    if (inode.kind === "directory") directories.push(inode.id);
  }
  return directories;
}

function claimChunks(state: CheckState): void {
  const { layout } = state.source;
  let last = -1;
  for (let n = 0; n < state.chunks.length; n++) {
    const chunk = state.chunks.at(n);
    for (let inChunk = 0; inChunk < chunkInodes; inChunk += layout.inodesPerBlock) {
      const place = blockPlace(layout, Math.floor((chunk.start + inChunk) / layout.inodesPerBlock));
      if (place === undefined || isHole(chunk, inChunk)) continue;
      const block = linearOf(state, place);
      if (block !== last) claimBlocks(state, block, 1, `the inodes from ${chunk.start} on`);
      last = block; // large blocks hold several chunks
    }
  }
}

/** Every inode in use that can be read; of the others it is told where `isTelling`. */
async function* inodesInUse(state: CheckState, isTelling: boolean): AsyncGenerator<XfsInode> {
  for (let n = 0; n < state.chunks.length; n++) {
    const chunk = state.chunks.at(n);
    for (let inChunk = 0; inChunk < chunkInodes; inChunk++) {
      if (!isInUse(chunk, inChunk)) continue;
      const inode = await inodeIn(state, chunk, inChunk, isTelling);
      if (inode !== undefined) yield inode;
    }
  }
}

async function inodeIn(
  { source, report }: CheckState,
  chunk: InodeChunk,
  inChunk: number,
  isTelling: boolean,
): Promise<XfsInode | undefined> {
  const id = chunk.start + inChunk;
  let inode: XfsInode | undefined;
  const read = async (): Promise<void> => {
    const bytes = await source.structures.bytes(inodePlace(source, id), source.layout.inodeBytes);
    inode = decodeInode(source.layout, id, bytes);
  };
  await (isTelling ? report : new CheckReport()).attempt(read, id);
  return inode;
}

async function checkInode(state: CheckState, inode: XfsInode, isFirst: boolean): Promise<void> {
  const { source, report } = state;
  const { id, kind, data, attributes } = inode;
  let blocks = 0;
  if (data.format === forkFormats.extents || data.format === forkFormats.tree) {
    blocks += await claimFork(state, inode, { fork: data, what: `inode ${id}` });
  } else if (kind === "file") {
    throw damaged(`inode ${id}`, `the format of its data is ${data.format}`);
  }
  if (attributes !== undefined && attributes.format !== forkFormats.local) {
    blocks += await claimFork(state, inode, { fork: attributes, what: `the attributes of inode ${id}` });
  }
  if (!isFirst) return;
  if (blocks !== inode.blockCount) {
    report.error(`inode ${id} says that it has ${inode.blockCount} blocks, and has ${blocks}`, id);
  }
  if (kind === "symlink") await readTarget(source, inode);
  deviceOf(inode);
  await readAttributes(source, inode);
  await checkAttributeIndex(source, inode);
}

/** Takes the blocks of a fork and of its tree; gives how many there are. */
async function claimFork(
  state: CheckState,
  { id }: XfsInode,
  { fork, what }: { readonly fork: Fork; readonly what: string },
): Promise<number> {
  let blocks = 0;
  const claim = (number: number, count: number): void => {
    blocks += count;
    claimBlocks(state, linearOfNumber(state, number), count, what, id);
  };
  const runs = inlineRuns(state.source.layout, fork, { id, what });
  if (runs !== undefined) for (const { block, count } of runs) claim(block, count);
  else {
    const tree = forkRuns(state.source, fork, { id, what }, (block) => claim(block, 1));
    for await (const { block, count } of tree) claim(block, count);
  }
  return blocks;
}
