import { Bitmap } from "../../bytes/index.ts";
import type { Problem } from "../file-system.ts";
import { error } from "./check-report.ts";
import type { Chunk } from "./chunk-map.ts";
import { FreeSpaceTally } from "./free-space-tally.ts";
import { ids, itemTypes } from "./key.ts";
import type { TreeNode } from "./node.ts";
import { freeSpaceInfo } from "./records.ts";
import type { BtrfsSource } from "./source.ts";
import { findTree, leavesOf, type Tree } from "./tree.ts";

/** Bits of what may be ignored while reading: that there is a tree of free space, and that it is kept up. */
const treeBits = 3n;

/** The tree of free space against what is in use: what it has as free will be written over. */
export async function* checkFreeSpace(
  source: BtrfsSource,
  tallies: ReadonlyMap<Chunk, FreeSpaceTally>,
): AsyncGenerator<Problem> {
  if ((source.superblock.readOnlyCompatible & treeBits) !== treeBits) return;
  const tree = await findTree(source, ids.freeSpaceTree);
  if (tree === undefined) {
    yield error("there is no tree of free space");
    return;
  }
  for (const chunk of source.chunks.chunks) {
    const told = await tallyOf(source, tree, chunk);
    const found = tallies.get(chunk)?.sum ?? unusedSum(chunk);
    const isSame = told.tally.sum === found && told.tally.runCount === told.runCount;
    if (!isSame) yield error(`the tree of free space does not match what is in use of the chunk ${chunk.logical}`);
  }
}

function unusedSum(chunk: Chunk): string {
  const tally = new FreeSpaceTally(chunk);
  tally.useNoMore();
  return tally.sum;
}

interface Told {
  readonly tally: FreeSpaceTally;
  /** How many stretches there are, by its own count. */
  runCount: number;
}

async function tallyOf(source: BtrfsSource, tree: Tree, chunk: Chunk): Promise<Told> {
  const told = { tally: new FreeSpaceTally(chunk), runCount: -1 };
  const from = { id: chunk.logical, type: 0, offset: 0 };
  const to = { id: chunk.logical + chunk.lengthBytes - 1, type: 255, offset: -1 };
  for await (const { leaf, start, end } of leavesOf(source, tree, from, to)) {
    for (let n = start; n < end; n++) tallyItem(told, leaf, n, source.sectorBytes);
  }
  return told;
}

function tallyItem(told: Told, leaf: TreeNode, n: number, sectorBytes: number): void {
  const { tally } = told;
  const { id, type, offset } = leaf.key(n);
  const data = leaf.data(n);
  if (type === itemTypes.freeSpaceInfo && data.length >= freeSpaceInfo.sizeBytes) {
    told.runCount = freeSpaceInfo.get(data, "runCount");
  }
  if (type === itemTypes.freeSpaceExtent) tally.free(id, id + offset);
  if (type !== itemTypes.freeSpaceBitmap) return;
  const bitmap = new Bitmap(Math.min(data.length * 8, Math.floor(offset / sectorBytes)), data);
  for (let bit = bitmap.nextSet(0); bit >= 0;) {
    const clear = bitmap.nextClear(bit);
    const end = clear < 0 ? bitmap.length : clear;
    tally.free(id + bit * sectorBytes, id + end * sectorBytes);
    bit = clear < 0 ? -1 : bitmap.nextSet(clear);
  }
}
