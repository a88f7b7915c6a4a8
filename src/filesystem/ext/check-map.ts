import { Failure } from "../../base/index.ts";
import { fileRuns, hasBlocks } from "./block-runs.ts";
import { claimBlocks } from "./check-claims.ts";
import type { CheckState } from "./check-state.ts";
import { extentBlockChecksum } from "./checksum.ts";
import { extentEntryBytes, extentHeader } from "./extent.ts";
import { journalInode, resizeInode } from "./inode.ts";
import type { ExtInode } from "./ext-inode.ts";
import { hasFlag, seedOfInode } from "./inode-reader.ts";

/** What a walk over the map of an inode has counted. */
export interface MapSummary {
  /** Blocks of content and of the map itself; with `bigalloc` whole clusters. */
  readonly blocks: number;
  /** One past the last logical block that is written. */
  readonly writtenEnd: number;
  /** One past the last logical block. */
  readonly end: number;
  readonly isWhole: boolean;
}

/** Walks the map of an inode and claims its blocks. What is wrong with the map itself is told only in the first pass. */
export async function checkMap(state: CheckState, inode: ExtInode, isFirstPass: boolean): Promise<MapSummary> {
  const { source, report, blocks } = state;
  const { layout } = source;
  let counted = 0;
  let end = 0;
  let writtenEnd = 0;
  let lastCluster = -1;
  const claimant = { what: `inode ${inode.id}`, inode: inode.id };
  if (!hasBlocks(layout, inode)) return { blocks: 0, writtenEnd, end, isWhole: true };
  if (inode.id === resizeInode) return checkResizeMap(state, inode);
  const onMapBlock = (physical: number, block: Uint8Array) => {
    claimBlocks(state, physical, 1, claimant);
    counted += layout.clusterBlocks;
    if (isFirstPass) checkExtentBlock(state, inode, block);
  };
  try {
    for await (const run of fileRuns(source, inode, onMapBlock)) {
      const first = blocks.clusterOf(run.physical);
      const last = blocks.clusterOf(run.physical + run.count - 1);
      // Two extents of a file may share a cluster where they are neighbours.
      const isShared = first === lastCluster ? 1 : 0;
      if (last - first + 1 > isShared) {
        const from = isShared === 1 ? clusterStart(state, first + 1) : run.physical;
        claimBlocks(state, from, run.physical + run.count - from, claimant);
      }
      counted += (last - first + 1 - isShared) * layout.clusterBlocks;
      lastCluster = last;
      end = Math.max(end, run.logical + run.count);
      if (run.isWritten) writtenEnd = end;
    }
    return { blocks: counted, writtenEnd, end, isWhole: true };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (isFirstPass) report.error(error.message.replace(/^cannot read /, ""), inode.id);
    return { blocks: counted, writtenEnd, end, isWhole: false };
  }
}

function clusterStart({ source }: CheckState, cluster: number): number {
  return source.layout.firstDataBlock + cluster * source.layout.clusterBlocks;
}

/**
 * The inode for growing holds the room behind the descriptors, which is claimed with them; its own is only the
 * one block in which its map starts.
 */
function checkResizeMap(state: CheckState, inode: ExtInode): MapSummary {
  const doubleIndirectAt = 13 * 4;
  const block = new DataView(inode.block.buffer, inode.block.byteOffset).getUint32(doubleIndirectAt, true);
  if (block !== 0) {
    if (block <= state.source.layout.firstDataBlock || block >= state.source.layout.blockCount) {
      state.report.error(`inode ${inode.id}: its map stands in block ${block}, outside the file system`, inode.id);
    } else {
      claimBlocks(state, block, 1, { what: `inode ${inode.id}`, inode: inode.id });
    }
  }
  return { blocks: 0, writtenEnd: 0, end: 0, isWhole: false };
}

function checkExtentBlock(state: CheckState, inode: ExtInode, block: Uint8Array): void {
  if (!state.source.layout.hasChecksums || !hasFlag(inode, "extents")) return;
  const { entryLimit } = extentHeader.decode(block);
  const tailAt = extentHeader.sizeBytes + entryLimit * extentEntryBytes;
  if (tailAt + 4 > block.length) return; // the walk itself tells of such a limit
  const stored = new DataView(block.buffer, block.byteOffset + tailAt, 4).getUint32(0, true);
  if (extentBlockChecksum(block, tailAt, seedOfInode(state.source.layout, inode)) !== stored) {
    state.report.error(`inode ${inode.id}: the checksum of a block of its extent tree is wrong`, inode.id);
  }
}

/** Whether the size of an inode and its count of blocks fit its map. */
export function checkSizes(state: CheckState, inode: ExtInode, map: MapSummary, attributeBlocks: number): void {
  const { report, source } = state;
  const { blockSizeBytes } = source.layout;
  if (!map.isWhole) return;
  const size = inode.sizeBytes;
  if (inode.kind === "directory" && map.end > 0 && (size % blockSizeBytes !== 0 || size / blockSizeBytes < map.end)) {
    report.error(`inode ${inode.id}: a directory of ${map.end} blocks says it has ${size} bytes`, inode.id);
  }
  if (inode.kind === "file" && inode.id !== journalInode && size < (map.writtenEnd - 1) * blockSizeBytes) {
    report.error(`inode ${inode.id}: it has blocks up to ${map.writtenEnd}, and ${size} bytes`, inode.id);
  }
  const expected = (map.blocks + attributeBlocks) * blockSizeBytes;
  if (inode.allocatedBytes !== expected) {
    report.error(
      `inode ${inode.id}: it says that it takes ${inode.allocatedBytes} bytes, and takes ${expected}`,
      inode.id,
    );
  }
}
