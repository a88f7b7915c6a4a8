import { damaged } from "../damaged.ts";
import { ids, itemTypes, last, type Key } from "./key.ts";
import type { NodePlace, TreeNode } from "./node.ts";
import { rootItem, type RootRecord } from "./records.ts";
import type { BtrfsSource } from "./source.ts";

/** A tree, by its root node. */
export interface Tree {
  readonly id: number;
  readonly root: NodePlace;
}

/** Items of one leaf, from one to before another. */
export interface LeafItems {
  readonly leaf: TreeNode;
  readonly start: number;
  readonly end: number;
}

/** One item of a leaf. */
export interface Item {
  readonly leaf: TreeNode;
  readonly n: number;
}

interface Step {
  readonly node: TreeNode;
  next: number;
}

/** Throws where a node has keys that belong behind it: a tree that leads back into itself would never end. */
function refuseBeyond(node: TreeNode, path: readonly Step[]): void {
  const bound = path.findLast((step) => step.next < step.node.count);
  if (bound === undefined || node.count === 0) return;
  if (node.compareWith(node.count - 1, bound.node, bound.next) < 0) return;
  throw damaged(`the btrfs node ${node.logical}`, "its last item belongs into the node behind it");
}

/** The items of a tree from one key to another, both included, leaf by leaf. */
export async function* leavesOf(source: BtrfsSource, tree: Tree, from: Key, to: Key): AsyncGenerator<LeafItems> {
  const path: Step[] = [];
  let place: NodePlace | undefined = tree.root;
  while (place !== undefined) {
    const node: TreeNode = await source.node(place);
    refuseBeyond(node, path);
    if (node.level > 0) {
      const at = node.firstFrom(from);
      const isExact = at < node.count && node.compare(at, from) === 0;
      const slot = isExact ? at : Math.max(0, at - 1);
      path.push({ node, next: slot + 1 });
      place = node.child(slot);
      continue;
    }
    const start = node.firstFrom(from);
    const after = node.firstFrom(to);
    const end = after < node.count && node.compare(after, to) === 0 ? after + 1 : after;
    if (end > start) yield { leaf: node, start, end };
    if (end < node.count) return;
    place = nextPlace(path, to);
  }
}

function nextPlace(path: Step[], to: Key): NodePlace | undefined {
  for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
    if (top.next < top.node.count) {
      const slot = top.next++;
      return top.node.compare(slot, to) > 0 ? undefined : top.node.child(slot);
    }
    path.pop();
  }
  return undefined;
}

/** Every item of an id, or those of one type. */
export function itemsOf(source: BtrfsSource, tree: Tree, id: number, type?: number): AsyncGenerator<LeafItems> {
  const from = { id, type: type ?? 0, offset: 0 };
  return leavesOf(source, tree, from, { id, type: type ?? last.type, offset: last.offset });
}

/** The item with a key. */
export async function find(source: BtrfsSource, tree: Tree, key: Key): Promise<Item | undefined> {
  const item = await findAtMost(source, tree, key);
  return item !== undefined && item.leaf.compare(item.n, key) === 0 ? item : undefined;
}

/** The item with a key, or else the one before it. */
export async function findAtMost(source: BtrfsSource, tree: Tree, key: Key): Promise<Item | undefined> {
  let place = tree.root;
  for (;;) {
    const node = await source.node(place);
    const at = node.firstFrom(key);
    const n = at < node.count && node.compare(at, key) === 0 ? at : at - 1;
    if (n < 0) return undefined; // every node but the root begins with the key by which it was come to
    if (node.level === 0) return { leaf: node, n };
    place = node.child(n);
  }
}

/** The tree of trees. */
export function rootTree({ superblock }: BtrfsSource): Tree {
  const { rootTree: logical, rootTreeLevel: level, generation } = superblock;
  return { id: ids.rootTree, root: { logical, level, generation } };
}

export function chunkTree({ superblock }: Pick<BtrfsSource, "superblock">): Tree {
  const { chunkTree: logical, chunkTreeLevel: level, chunkTreeGeneration: generation } = superblock;
  return { id: ids.chunkTree, root: { logical, level, generation } };
}

/** A tree and what the tree of trees says of it. */
export interface FoundTree extends Tree {
  readonly record: RootRecord;
  /** Of the key of its item: the generation of a snapshot, the parent of a relocation tree. */
  readonly offset: number;
}

/** The tree that a root item describes. Throws `damaged` where it is cut off. */
export function treeIn(leaf: TreeNode, n: number): FoundTree {
  const { id, offset } = leaf.key(n);
  const data = leaf.data(n);
  if (data.length < rootItem.sizeBytes) throw damaged(`the btrfs tree ${id}`, "its root item is cut off");
  const record = rootItem.decode(data);
  const { logical, level, generation } = record;
  return { id, offset, record, root: { logical, level, generation } };
}

/** The tree with an id; the newest where there are several. */
export async function findTree(source: BtrfsSource, id: number): Promise<FoundTree | undefined> {
  let found: FoundTree | undefined;
  for await (const { leaf, end } of itemsOf(source, rootTree(source), id, itemTypes.rootItem)) {
    found = treeIn(leaf, end - 1);
  }
  return found;
}

/** A tree that every btrfs has. */
export async function neededTree(source: BtrfsSource, id: number, name: string): Promise<FoundTree> {
  const tree = await findTree(source, id);
  if (tree === undefined) throw damaged(`the ${name} tree of btrfs`, "there is none");
  return tree;
}
