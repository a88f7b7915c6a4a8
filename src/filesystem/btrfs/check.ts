import type { Problem } from "../file-system.ts";
import { checkDevice, checkGroups } from "./check-chunks.ts";
import { ExtentCheck } from "./check-extents.ts";
import { FileCheck } from "./check-files.ts";
import { checkFreeSpace } from "./check-free-space.ts";
import { error, problemOf } from "./check-report.ts";
import { checkSuperblocks } from "./check-superblocks.ts";
import { checkRootReference, checkSubvolumes } from "./check-subvolumes.ts";
import { TreeWalk } from "./check-trees.ts";
import { DataReader } from "./data-reader.ts";
import { ids, itemTypes } from "./key.ts";
import { logTreeRoot } from "./log-trees.ts";
import type { TreeNode } from "./node.ts";
import { fileExtent, fileExtentPlace, fileExtentTypes } from "./records.ts";
import { ReferenceLedger } from "./reference-ledger.ts";
import type { BtrfsSource } from "./source.ts";
import { chunkTree, findTree, neededTree, rootTree, treeIn, type FoundTree, type Tree } from "./tree.ts";

const blockGroupTreeBit = 8n;

/**
 * Everything that is wrong with a btrfs: superblocks, every copy of every node, chunks against devices and block groups, what is
 * given out against what refers to it, names against inodes. Data is not read; that it has checksums is looked up.
 */
export async function* checkBtrfs(source: BtrfsSource): AsyncGenerator<Problem> {
  yield* checkSuperblocks(source);
  const ledger = new ReferenceLedger(source.chunks, source.sectorBytes);
  const walk = new TreeWalk(source, ledger);
  const files = new FileCheck(source, new DataReader(source));
  const trees: FoundTree[] = [];
  const refer = (leaf: TreeNode): AsyncGenerator<Problem> => dataOf(leaf, ledger);
  yield* walk.walk(chunkTree(source), nothing);
  yield* walk.walk(rootTree(source), async function* (leaf) {
    yield* refer(leaf); // the space cache of old
    for (let n = 0; n < leaf.count; n++) {
      if (leaf.type(n) === itemTypes.rootItem) trees.push(treeIn(leaf, n));
      yield* checkRootReference(source, leaf, n);
    }
  });
  if (!walk.isTorn) yield* attempting(checkSubvolumes(source, trees));
  for (const tree of trees) {
    if (tree.root.logical === 0) continue;
    yield* walk.walk(tree, async function* (leaf, within) {
      yield* refer(leaf);
      if (isSubvolume(tree)) yield* files.leaf(leaf, within);
    });
  }
  yield* checkLog(source);
  yield* attempting(checkExtents(source, ledger));
  if (!walk.isTorn) yield* ledger.differences();
  yield* attempting(checkDevice(source));
}

/** A subvolume that is being deleted has files without names, names without files. */
function isSubvolume({ id, record }: FoundTree): boolean {
  return (id === ids.topLevel || id >= ids.firstFile) && record.references > 0;
}

async function* nothing(): AsyncGenerator<Problem> {
  yield* [];
}

/** Every file extent in a leaf refers to the extent that it is of. */
async function* dataOf(leaf: TreeNode, ledger: ReferenceLedger): AsyncGenerator<Problem> {
  for (let n = 0; n < leaf.count; n++) {
    if (leaf.type(n) !== itemTypes.extentData) continue;
    const data = leaf.data(n);
    if (data.length < fileExtentPlace.sizeBytes || fileExtent.get(data, "type") === fileExtentTypes.inline) continue;
    const { logical, storedBytes } = fileExtentPlace.decode(data);
    if (logical !== 0 && !ledger.refer(logical, storedBytes)) {
      yield error(`file ${leaf.id(n)} has data at the address ${logical}, which is in no chunk`);
    }
  }
}

/** The log must be there to be replayed; it knows nothing of the tree of extents, nor that of it. */
async function* checkLog(source: BtrfsSource): AsyncGenerator<Problem> {
  const root = logTreeRoot(source);
  if (root === undefined) return;
  const walk = new TreeWalk(source, undefined);
  const logs: Tree[] = [];
  yield* walk.walk(root, (leaf) => {
    for (let n = 0; n < leaf.count; n++) if (leaf.type(n) === itemTypes.rootItem) logs.push(treeIn(leaf, n));
    return nothing();
  });
  for (const log of logs) yield* walk.walk({ id: log.id, root: log.root }, nothing);
}

async function* checkExtents(source: BtrfsSource, ledger: ReferenceLedger): AsyncGenerator<Problem> {
  const extents = await neededTree(source, ids.extentTree, "extent");
  const check = new ExtentCheck(source, ledger);
  yield* check.run(extents);
  const isApart = (source.superblock.readOnlyCompatible & blockGroupTreeBit) !== 0n;
  const groups = isApart ? await findTree(source, ids.blockGroupTree) : extents;
  if (groups === undefined) yield error("there is no tree of block groups");
  else yield* checkGroups(source, groups, check.usedBytes);
  yield* checkFreeSpace(source, check.free);
}

/** Goes on with the other checks where one comes upon what cannot be read. */
async function* attempting(problems: AsyncIterable<Problem>): AsyncGenerator<Problem> {
  try {
    yield* problems;
  } catch (failure) {
    yield problemOf(failure);
  }
}
