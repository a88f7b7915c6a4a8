import type { FileRun, OnMapBlock } from "./file-run.ts";
import { damaged } from "../damaged.ts";
import {
  extentEntryBytes,
  extentHeader,
  extentIndex,
  extentLeaf,
  extentMagic,
  extentMaximumBlocks,
  extentMaximumDepth,
} from "./extent.ts";
import type { ExtInode } from "./ext-inode.ts";
import type { ExtSource } from "./source.ts";

const logicalLimit = 2 ** 32;

interface Node {
  readonly bytes: Uint8Array;
  readonly depth: number;
  /** The logical blocks that this node may speak of. */
  readonly from: number;
  readonly to: number;
}

/** The runs of a file with an extent tree (kernel documentation, ifork.rst, "Extent Tree"). */
export async function* extentRuns(
  source: ExtSource,
  inode: ExtInode,
  onMapBlock: OnMapBlock | undefined,
): AsyncGenerator<FileRun> {
  const depth = extentHeader.get(inode.block, "depth");
  if (depth > extentMaximumDepth) throw damaged(`inode ${inode.id}`, `its extent tree is ${depth} levels deep`);
  const root: Node = { bytes: inode.block, depth, from: 0, to: logicalLimit };
  if (depth === 0) yield* leafRuns(inode, root);
  else yield* nodeRuns(source, inode, root, onMapBlock);
}

/**
 * Each level goes one down and each entry beyond the one before it, and no node below the root is empty: so a
 * tree that leads back into itself is found out after at most as many steps as a sane one has.
 */
async function* nodeRuns(
  source: ExtSource,
  inode: ExtInode,
  node: Node,
  onMapBlock: OnMapBlock | undefined,
): AsyncGenerator<FileRun> {
  if (node.depth === 0) {
    yield* leafRuns(inode, node);
    return;
  }
  const what = `inode ${inode.id}`;
  const count = entryCount(inode, node);
  const startOf = (n: number) => extentIndex.get(node.bytes, "logicalBlock", n * extentEntryBytes);
  for (let n = 1; n <= count; n++) {
    const entry = extentIndex.decode(node.bytes, n * extentEntryBytes);
    const to = n < count ? startOf(n + 1) : node.to;
    if (entry.logicalBlock < node.from || entry.logicalBlock >= to) {
      throw damaged(what, "its extent tree is out of order");
    }
    const physical = entry.childLow + entry.childHigh * 2 ** 32;
    const bytes = await source.block(physical, `the extent tree of ${what}`);
    onMapBlock?.(physical, bytes);
    const depth = extentHeader.get(bytes, "depth");
    if (depth !== node.depth - 1) throw damaged(what, "a level of its extent tree does not fit the one above");
    yield* nodeRuns(source, inode, { bytes, depth, from: entry.logicalBlock, to }, onMapBlock);
  }
}

/** The runs of a tree that is all in the inode; undefined for one that is not. */
export function rootRuns(inode: ExtInode): FileRun[] | undefined {
  if (extentHeader.get(inode.block, "depth") !== 0) return undefined;
  return leafRuns(inode, { bytes: inode.block, depth: 0, from: 0, to: logicalLimit });
}

function leafRuns(inode: ExtInode, node: Node): FileRun[] {
  const runs: FileRun[] = [];
  const count = entryCount(inode, node);
  let from = node.from;
  for (let n = 1; n <= count; n++) {
    const entry = extentLeaf.decode(node.bytes, n * extentEntryBytes);
    const isWritten = entry.length <= extentMaximumBlocks;
    const blocks = isWritten ? entry.length : entry.length - extentMaximumBlocks;
    if (blocks === 0 || entry.logicalBlock < from || entry.logicalBlock + blocks > node.to) {
      throw damaged(`inode ${inode.id}`, "its extents are out of order or overlap");
    }
    runs.push({
      logical: entry.logicalBlock,
      physical: entry.startLow + entry.startHigh * 2 ** 32,
      count: blocks,
      isWritten,
    });
    from = entry.logicalBlock + blocks;
  }
  return runs;
}

function entryCount(inode: ExtInode, node: Node): number {
  const header = extentHeader.decode(node.bytes);
  const room = Math.floor((node.bytes.length - extentHeader.sizeBytes) / extentEntryBytes);
  const isRoot = node.bytes === inode.block;
  if (
    header.magic !== extentMagic ||
    header.entryLimit > room ||
    header.entryCount > header.entryLimit ||
    (header.entryCount === 0 && !(isRoot && node.depth === 0))
  ) {
    throw damaged(`inode ${inode.id}`, "a node of its extent tree is broken");
  }
  return header.entryCount;
}
