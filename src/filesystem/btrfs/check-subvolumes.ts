import type { Problem } from "../file-system.ts";
import { error, warning } from "./check-report.ts";
import { ids, itemTypes } from "./key.ts";
import type { TreeNode } from "./node.ts";
import type { BtrfsSource } from "./source.ts";
import { find, findTree, itemsOf, rootTree, type FoundTree } from "./tree.ts";

/** Trees that Linux does not mount without. */
const needed: readonly (readonly [id: number, name: string])[] = [
  [ids.extentTree, "extents"],
  [ids.deviceTree, "devices"],
  [ids.topLevel, "files"],
  [ids.csumTree, "checksums"],
  [ids.dataRelocationTree, "data that is being moved"],
];

/** Whether all trees are there that must be, and each subvolume is where it says. */
export async function* checkSubvolumes(source: BtrfsSource, trees: readonly FoundTree[]): AsyncGenerator<Problem> {
  for (const [id, name] of needed) {
    if (!trees.some((tree) => tree.id === id && tree.offset === 0)) yield error(`there is no tree of ${name}`);
  }
  for (const { id, record } of trees) {
    if (id < ids.firstFile || record.references === 0) continue;
    if (!(await hasPlace(source, id))) yield warning(`subvolume ${id} is in no directory`);
  }
}

async function hasPlace(source: BtrfsSource, id: number): Promise<boolean> {
  for await (const _ of itemsOf(source, rootTree(source), id, itemTypes.rootBackref)) return true;
  return false;
}

/** The two references between a subvolume and the one that it is in say the same. */
export async function* checkRootReference(source: BtrfsSource, leaf: TreeNode, n: number): AsyncGenerator<Problem> {
  const { id, type, offset } = leaf.key(n);
  const isDown = type === itemTypes.rootRef;
  if (!isDown && type !== itemTypes.rootBackref) return;
  const [above, below] = isDown ? [id, offset] : [offset, id];
  const twinType = isDown ? itemTypes.rootBackref : itemTypes.rootRef;
  const twin = await find(source, rootTree(source), { id: offset, type: twinType, offset: id });
  const isSame = twin !== undefined && Buffer.compare(twin.leaf.data(twin.n), leaf.data(n)) === 0;
  if (!isSame) yield error(`subvolume ${below} and subvolume ${above} do not agree on where the one is in the other`);
  else if (isDown && (await findTree(source, below)) === undefined) yield error(`there is no subvolume ${below}`);
}
