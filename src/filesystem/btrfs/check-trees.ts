import { Bitmap } from "../../bytes/index.ts";
import type { Problem } from "../file-system.ts";
import { error, problemOf, warning } from "./check-report.ts";
import { groupFlags, type Chunk } from "./chunk-map.ts";
import { ids, type Key } from "./key.ts";
import type { NodePlace, TreeNode } from "./node.ts";
import type { ReferenceLedger } from "./reference-ledger.ts";
import type { BtrfsSource } from "./source.ts";
import type { FoundTree, Tree } from "./tree.ts";

/** What looks at the leaves of trees, each once, though several trees may share it. */
export type LeafVisitor = (leaf: TreeNode, tree: Tree) => AsyncIterable<Problem>;

interface Step {
  readonly node: TreeNode;
  next: number;
  /** The key from which on a tree is still there that is being deleted. */
  readonly drop: Key | undefined;
}

/** Trees whose nodes are their own; those of subvolumes are shared with snapshots. */
const lastFixedTree = 255;
/** Ids of subvolumes have 48 bits: those above are for quotas. */
const subvolumeLimit = 2 ** 48;

/** Goes through trees node by node, every copy of each, and tells what is wrong with them. */
export class TreeWalk {
  /** Whether a node could not be read: what it refers to is then not known. */
  isTorn = false;
  readonly #source: BtrfsSource;
  readonly #ledger: ReferenceLedger | undefined;
  readonly #seen = new Map<Chunk, Bitmap>();

  /** Without a ledger it is for the log, of which the tree of extents knows nothing. */
  constructor(source: BtrfsSource, ledger: ReferenceLedger | undefined) {
    this.#source = source;
    this.#ledger = ledger;
  }

  async *walk(tree: Tree & Partial<Pick<FoundTree, "record">>, visit: LeafVisitor): AsyncGenerator<Problem> {
    const path: Step[] = [];
    const { dropLevel = 0, dropKey } = tree.record ?? {};
    const isDropping = dropKey !== undefined && (dropKey.id !== 0 || dropKey.type !== 0 || dropKey.offset !== 0);
    let next: NodePlace | undefined = tree.root;
    let drop: Key | undefined = isDropping ? dropKey : undefined;
    while (next !== undefined) {
      const node: TreeNode | undefined = yield* this.#enter(tree, next, path);
      if (node !== undefined && node.level === 0) yield* this.#visit(visit, node, tree);
      else if (node !== undefined) {
        const start = drop === undefined || node.level < dropLevel ? 0 : slotOf(node, drop);
        path.push({ node, next: start, drop: node.level > dropLevel ? drop : undefined });
      }
      drop = undefined;
      while (path.length > 0 && (path.at(-1) as Step).next >= (path.at(-1) as Step).node.count) path.pop();
      const top = path.at(-1);
      if (top === undefined) return;
      next = top.node.child(top.next);
      // Only the first child that is entered lies on the way to where deleting stopped.
      if (top.drop !== undefined && top.next === slotOf(top.node, top.drop)) drop = top.drop;
      top.next++;
    }
  }

  async *#visit(visit: LeafVisitor, leaf: TreeNode, tree: Tree): AsyncGenerator<Problem> {
    try {
      yield* visit(leaf, tree);
    } catch (failure) {
      yield problemOf(failure);
    }
  }

  /** The node at a place, where it is sound and was not come to before. */
  async *#enter(tree: Tree, place: NodePlace, path: readonly Step[]): AsyncGenerator<Problem, TreeNode | undefined> {
    const what = `the node ${place.logical} of tree ${tree.id}`;
    this.#ledger?.refer(place.logical, this.#source.nodeBytes);
    const isNew = this.#mark(place.logical);
    if (typeof isNew === "string") {
      this.isTorn = true;
      yield error(`${what} cannot be there: ${isNew}`);
      return undefined;
    }
    if (!isNew) return undefined;
    const node = yield* this.#soundCopy(place, what);
    if (node === undefined) {
      this.isTorn = true;
      return undefined;
    }
    const bound = path.findLast((step) => step.next < step.node.count);
    if (bound !== undefined && node.count > 0 && node.compareWith(node.count - 1, bound.node, bound.next) >= 0) {
      yield error(`the last item of ${what} belongs into the node behind it`);
    }
    if (!mayOwn(node.owner, tree.id)) yield error(`${what} says that it belongs to tree ${node.owner}`);
    return node;
  }

  /** Reads every copy of a node, and gives the first that is sound. */
  async *#soundCopy(place: NodePlace, what: string): AsyncGenerator<Problem, TreeNode | undefined> {
    const copies = this.#source.copiesOf(place.logical, this.#source.nodeBytes);
    const bad: string[] = [];
    let sound: TreeNode | undefined;
    for (const [n, at] of copies.entries()) {
      const read = await this.#source.readCopy(place, at);
      if (typeof read === "string") bad.push(`copy ${n + 1} of ${what}, at ${at} of the device: ${read}`);
      else sound ??= read;
    }
    if (copies.length === 0) bad.push(`${what} is not on this device`);
    for (const message of bad) yield sound === undefined ? error(message) : warning(message);
    return sound;
  }

  /** True for a node that was not come to before; why it cannot be one, where it cannot. */
  #mark(logical: number): boolean | string {
    const chunk = this.#source.chunks.at(logical);
    if (chunk === undefined) return "it is in no chunk";
    if ((chunk.flags & (groupFlags.metadata | groupFlags.system)) === 0n) return "it is in a chunk of data";
    const { sectorBytes, nodeBytes } = this.#source;
    const offset = logical - chunk.logical;
    if (offset % sectorBytes !== 0 || offset + nodeBytes > chunk.lengthBytes) return "it is not within its chunk";
    let seen = this.#seen.get(chunk);
    if (seen === undefined) {
      seen = new Bitmap(chunk.lengthBytes / sectorBytes);
      this.#seen.set(chunk, seen);
    }
    const n = offset / sectorBytes;
    if (seen.has(n)) return false;
    seen.set(n);
    return true;
  }
}

/** Whether a node of one tree can have been made for another: subvolumes share theirs with snapshots, and while being moved. */
function mayOwn(owner: number, tree: number): boolean {
  if (owner === tree) return true;
  const isSubvolume = (id: number): boolean => id === ids.topLevel || (id > lastFixedTree && id < subvolumeLimit);
  return [owner, tree].every((id) => isSubvolume(id) || id === ids.relocationTree);
}

/** The item under which a key is. */
function slotOf(node: TreeNode, key: Key): number {
  const at = node.firstFrom(key);
  return at < node.count && node.compare(at, key) === 0 ? at : Math.max(0, at - 1);
}
