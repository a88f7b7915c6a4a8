import { decodeName } from "../../bytes/index.ts";
import type { Problem } from "../file-system.ts";
import { attempted, error, warning } from "./check-report.ts";
import type { DataReader } from "./data-reader.ts";
import { fileTypes, nameHash, namesIn, type NamedItem } from "./directory.ts";
import { decodeInode, kindOf } from "./inode.ts";
import { itemTypes } from "./key.ts";
import type { TreeNode } from "./node.ts";
import {
  fileExtent,
  fileExtentPlace,
  fileExtentTypes,
  inodeExtref,
  inodeFlags,
  inodeItem,
  inodeReference,
  type InodeRecord,
} from "./records.ts";
import type { BtrfsSource } from "./source.ts";
import { find, findTree, leavesOf, type Tree } from "./tree.ts";

/** How much data is looked up at once in the tree of checksums. */
const sumPieceBytes = 16 * 2 ** 20;
/** What is in an item is never more than a page of memory. */
const inlineLimitBytes = 64 * 1024;
/** Of a name's type: set for encrypted ones. */
const typeMask = 0x7f;

/** Looks at the leaves of subvolumes: names against inodes, inodes against names, data against checksums. */
export class FileCheck {
  readonly #source: BtrfsSource;
  readonly #data: DataReader;
  readonly #subvolumes = new Map<number, boolean>();

  constructor(source: BtrfsSource, data: DataReader) {
    this.#source = source;
    this.#data = data;
  }

  async *leaf(leaf: TreeNode, tree: Tree): AsyncGenerator<Problem> {
    for (let n = 0; n < leaf.count; n++) {
      const type = leaf.type(n);
      if (type === itemTypes.inode) yield* this.#inode(leaf, n, tree);
      else if (type === itemTypes.dirIndex) yield* this.#names(leaf, n, tree);
      else if (type === itemTypes.dirItem || type === itemTypes.xattr) yield* checkHashes(leaf, n, tree);
      else if (type === itemTypes.extentData) yield* this.#extent(leaf, n, tree);
    }
  }

  async *#inode(leaf: TreeNode, n: number, tree: Tree): AsyncGenerator<Problem> {
    const id = leaf.id(n);
    const what = whatIs(id, tree);
    const inode = decodeInode(leaf.data(n), what);
    const names = await this.#nameCount(leaf, n, tree);
    const newest = this.#source.superblock.generation + 1;
    if (inode.generation > newest) yield error(`${what} is of generation ${inode.generation}, which is still to come`);
    if (names !== inode.links) yield warning(`${what} says that it has ${inode.links} names, there are ${names}`);
  }

  /** How many names an inode lists, in this leaf and in those behind it. */
  async #nameCount(leaf: TreeNode, n: number, tree: Tree): Promise<number> {
    const id = leaf.id(n);
    let count = 0;
    for (let next = n + 1; next < leaf.count; next++) {
      if (leaf.id(next) !== id || leaf.type(next) > itemTypes.inodeExtref) return count;
      count += namesOf(leaf, next).length;
    }
    count = 0;
    const from = { id, type: itemTypes.inodeRef, offset: 0 };
    for await (const more of leavesOf(this.#source, tree, from, { id, type: itemTypes.inodeExtref, offset: -1 })) {
      for (let next = more.start; next < more.end; next++) count += namesOf(more.leaf, next).length;
    }
    return count;
  }

  async *#names(leaf: TreeNode, n: number, tree: Tree): AsyncGenerator<Problem> {
    const directory = leaf.id(n);
    for (const item of namesIn(leaf.data(n), whatIs(directory, tree))) {
      const what = `${JSON.stringify(item.name)} in ${whatIs(directory, tree)}`;
      const key = { id: directory, type: itemTypes.dirItem, offset: nameHash(item.name) };
      const other = await find(this.#source, tree, key);
      const same = other === undefined ? [] : namesIn(other.leaf.data(other.n), what);
      const twin = same.find(({ name }) => name === item.name);
      if (twin === undefined) yield error(`${what} is listed, and not found by its name`);
      else if (twin.target.id !== item.target.id)
        yield error(`${what} stands for one file when listed, for another by its name`);
      yield* this.#target(item, tree, { directory, index: leaf.offset(n), what });
    }
  }

  async *#target({ target, type, name }: NamedItem, tree: Tree, place: NamePlace): AsyncGenerator<Problem> {
    const { what } = place;
    if (target.type === itemTypes.rootItem) {
      if (!(await this.#hasSubvolume(target.id)))
        yield warning(`${what} stands for subvolume ${target.id}, which is not there`);
      return;
    }
    if (target.type !== itemTypes.inode) {
      yield error(`${what} stands for an item of the type ${target.type}`);
      return;
    }
    let mode: number | undefined;
    let isKnown = false;
    const from = { id: target.id, type: itemTypes.inode, offset: 0 };
    for await (const some of leavesOf(this.#source, tree, from, { ...from, type: itemTypes.inodeExtref, offset: -1 })) {
      for (let n = some.start; n < some.end; n++) {
        if (some.leaf.type(n) === itemTypes.inode) mode = modeIn(some.leaf.data(n));
        isKnown ||= namesOf(some.leaf, n).some((one) => {
          return one.name === name && one.directory === place.directory && one.index === place.index;
        });
      }
    }
    if (mode === undefined) {
      yield error(`${what} stands for file ${target.id}, which is not there`);
      return;
    }
    const kind = kindOf({ mode });
    if (fileTypes[kind] !== (type & typeMask)) yield error(`${what} says it is of the type ${type}, and is a ${kind}`);
    if (!isKnown) yield error(`${what} stands for file ${target.id}, which does not know that name`);
  }

  async #hasSubvolume(id: number): Promise<boolean> {
    let isThere = this.#subvolumes.get(id);
    if (isThere === undefined) {
      isThere = (await findTree(this.#source, id)) !== undefined;
      this.#subvolumes.set(id, isThere);
    }
    return isThere;
  }

  async *#extent(leaf: TreeNode, n: number, tree: Tree): AsyncGenerator<Problem> {
    const { id, offset } = leaf.key(n);
    const what = `${whatIs(id, tree)}, its data at ${offset}`;
    const data = leaf.data(n);
    if (data.length < fileExtent.sizeBytes) {
      yield error(`${what}: its item is cut off`);
      return;
    }
    const { type, compression, memoryBytes } = fileExtent.decode(data);
    if (type === fileExtentTypes.inline) {
      const storedBytes = data.length - fileExtent.sizeBytes;
      const isFitting = compression === 0 ? memoryBytes === storedBytes : memoryBytes <= inlineLimitBytes;
      if (offset !== 0 || !isFitting)
        yield error(`${what}: ${storedBytes} bytes in its item cannot stand for ${memoryBytes}`);
      return;
    }
    if (data.length < fileExtentPlace.sizeBytes || type > fileExtentTypes.preallocated) {
      yield error(`${what}: its item makes no sense`);
      return;
    }
    const { logical, storedBytes, offsetBytes, lengthBytes } = fileExtentPlace.decode(data);
    const isNext = n > 0 && leaf.id(n - 1) === id && leaf.type(n - 1) === itemTypes.extentData;
    if (isNext && endOf(leaf, n - 1) > offset) yield error(`${what} is there twice`);
    if (logical === 0) return;
    const wholeBytes = compression === 0 ? storedBytes : memoryBytes;
    if (lengthBytes === 0 || !(offsetBytes + lengthBytes <= wholeBytes)) {
      yield error(`${what}: ${lengthBytes} bytes are not in their extent`);
      return;
    }
    if (type === fileExtentTypes.preallocated) return;
    const covered =
      compression === 0 ? { at: logical + offsetBytes, lengthBytes } : { at: logical, lengthBytes: storedBytes };
    yield* this.#sums(covered, { id, tree, what, leaf });
  }

  /** Linux does not give out data that has no checksum, unless its inode says that it has none. */
  async *#sums(
    { at, lengthBytes }: { readonly at: number; readonly lengthBytes: number },
    {
      id,
      tree,
      what,
      leaf,
    }: { readonly id: number; readonly tree: Tree; readonly what: string; readonly leaf: TreeNode },
  ): AsyncGenerator<Problem> {
    const inode = await this.#inodeOf(id, tree, leaf);
    if (inode === undefined) {
      yield error(`${what} belongs to a file that is not there`);
      return;
    }
    if ((inode.flags & inodeFlags.noChecksums) !== 0n) return;
    for (let done = 0; done < lengthBytes; done += sumPieceBytes) {
      const pieceBytes = Math.min(sumPieceBytes, lengthBytes - done);
      const sums = await attempted(() => this.#data.sums(at + done, pieceBytes));
      if ("severity" in sums) {
        yield sums;
        return;
      }
      if (sums.known.nextClear(0) < 0) continue;
      yield error(`${what} has no checksums`);
      return;
    }
  }

  async #inodeOf(id: number, tree: Tree, leaf: TreeNode): Promise<InodeRecord | undefined> {
    const key = { id, type: itemTypes.inode, offset: 0 };
    const here = leaf.firstFrom(key);
    const isHere = here < leaf.count && leaf.compare(here, key) === 0;
    const item = isHere ? { leaf, n: here } : await find(this.#source, tree, key);
    return item === undefined ? undefined : decodeInode(item.leaf.data(item.n), whatIs(id, tree));
  }
}

/** The mode in an inode's item, whose other fields are looked at where it stands. */
function modeIn(item: Uint8Array): number | undefined {
  return item.length < inodeItem.sizeBytes ? undefined : inodeItem.get(item, "mode");
}

/** Where a name is listed. */
interface NamePlace {
  readonly directory: number;
  readonly index: number;
  readonly what: string;
}

function whatIs(id: number, { id: tree }: Tree): string {
  return tree === 5 ? `file ${id}` : `file ${id} of subvolume ${tree}`;
}

/** Names of a directory, and of attributes, are found by their hashes. */
function* checkHashes(leaf: TreeNode, n: number, tree: Tree): Generator<Problem> {
  const { id, offset } = leaf.key(n);
  for (const { name } of namesIn(leaf.data(n), whatIs(id, tree))) {
    if (nameHash(name) !== offset)
      yield error(`${JSON.stringify(name)} in ${whatIs(id, tree)} is not where its hash is`);
  }
}

/** The names that an item of an inode lists; none where it is of another type. */
function namesOf(
  leaf: TreeNode,
  n: number,
): { readonly directory: number; readonly index: number; readonly name: string }[] {
  const { type, offset } = leaf.key(n);
  const names: { directory: number; index: number; name: string }[] = [];
  if (type !== itemTypes.inodeRef && type !== itemTypes.inodeExtref) return names;
  const data = leaf.data(n);
  const record = type === itemTypes.inodeRef ? inodeReference : inodeExtref;
  for (let at = 0; at + record.sizeBytes <= data.length;) {
    const directory = type === itemTypes.inodeRef ? offset : inodeExtref.get(data, "directory", at);
    const index = record.get(data, "index", at);
    const nameAt = at + record.sizeBytes;
    at = nameAt + record.get(data, "nameBytes", at);
    if (at <= data.length) names.push({ directory, index, name: decodeName(data, nameAt, at) });
  }
  return names;
}

/** Where the data of an item ends in its file; 0 where that cannot be told. */
function endOf(leaf: TreeNode, n: number): number {
  const data = leaf.data(n);
  if (data.length < fileExtent.sizeBytes) return 0;
  if (fileExtent.get(data, "type") === fileExtentTypes.inline)
    return leaf.offset(n) + fileExtent.get(data, "memoryBytes");
  if (data.length < fileExtentPlace.sizeBytes) return 0;
  return leaf.offset(n) + fileExtentPlace.get(data, "lengthBytes");
}
