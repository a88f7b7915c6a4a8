import { Failure } from "../../base/index.ts";
import { decodeName } from "../../bytes/index.ts";
import { damaged } from "../damaged.ts";
import { nameHash, namesIn } from "./directory.ts";
import { ids, itemTypes } from "./key.ts";
import { rootReference } from "./records.ts";
import type { BtrfsSource } from "./source.ts";
import { find, findTree, itemsOf, rootTree, type FoundTree } from "./tree.ts";

/** An inode of a subvolume. */
export interface FileId {
  readonly tree: number;
  readonly inode: number;
}

/** Ids of files are the inode, and above it which subvolume, counted from the top level in the order in which they are met. */
const inodeLimit = 2 ** 38;
const subvolumeLimit = 2 ** 15;
/** Deeper than paths can be. */
const depthLimit = 1000;

/** The subvolumes of a btrfs, and the ids of their files. */
export class Subvolumes {
  readonly #source: BtrfsSource;
  readonly #trees = new Map<number, FoundTree>();
  readonly #numbers = new Map<number, number>([[ids.topLevel, 0]]);
  readonly #order: number[] = [ids.topLevel];

  constructor(source: BtrfsSource) {
    this.#source = source;
  }

  idOf({ tree, inode }: FileId): number {
    let number = this.#numbers.get(tree);
    if (number === undefined) {
      number = this.#order.push(tree) - 1;
      this.#numbers.set(tree, number);
    }
    if (number < subvolumeLimit && inode >= 0 && inode < inodeLimit) return number * inodeLimit + inode;
    throw new Failure("unsupported", `cannot number file ${inode} of subvolume ${tree}: there are too many`);
  }

  fileOf(id: number): FileId {
    const tree = this.#order[Math.floor(id / inodeLimit)];
    if (tree === undefined) throw new Failure("failed", `cannot read file ${id}: no subvolume has it`);
    return { tree, inode: id % inodeLimit };
  }

  /** The tree of a subvolume. Throws `damaged` where there is none. */
  async tree(id: number): Promise<FoundTree> {
    const kept = this.#trees.get(id);
    if (kept !== undefined) return kept;
    const found = await findTree(this.#source, id);
    if (found === undefined) throw damaged(`subvolume ${id} of btrfs`, "there is none");
    this.#trees.set(id, found);
    return found;
  }

  /**
   * Whether a subvolume is the one that a directory has under a name. A snapshot has the names of subvolumes that were in
   * what it was taken of, but not what is in them.
   */
  async isAt(child: number, directory: FileId, name: string): Promise<boolean> {
    const key = { id: directory.tree, type: itemTypes.rootRef, offset: child };
    const item = await find(this.#source, rootTree(this.#source), key);
    if (item === undefined) return false;
    const reference = decodeReference(item.leaf.data(item.n), child);
    return reference.directory === directory.inode && reference.name === name;
  }

  /** The path of the subvolume that is mounted where none is named; undefined where that is the top level. */
  async defaultPath(): Promise<string | undefined> {
    const name = "default";
    const key = { id: ids.rootTreeDirectory, type: itemTypes.dirItem, offset: nameHash(name) };
    const item = await find(this.#source, rootTree(this.#source), key);
    if (item === undefined) return undefined;
    const found = namesIn(item.leaf.data(item.n), "the root directory of btrfs").find((one) => one.name === name);
    if (found === undefined || found.target.id === ids.topLevel) return undefined;
    return this.#pathOf(found.target.id);
  }

  async #pathOf(subvolume: number): Promise<string> {
    const names: string[] = [];
    for (let id = subvolume, depth = 0; id !== ids.topLevel; depth++) {
      const above = await this.#above(id);
      if (above === undefined || depth > depthLimit) throw damaged(`subvolume ${subvolume} of btrfs`, "it is in none");
      names.unshift(...(await this.#directoryNames({ tree: above.tree, inode: above.directory })), above.name);
      id = above.tree;
    }
    return names.join("/");
  }

  async #above(id: number): Promise<{ tree: number; directory: number; name: string } | undefined> {
    for await (const { leaf, start } of itemsOf(this.#source, rootTree(this.#source), id, itemTypes.rootBackref)) {
      return { tree: leaf.offset(start), ...decodeReference(leaf.data(start), id) };
    }
    return undefined;
  }

  /** The names from the root of a subvolume to a directory of it. */
  async #directoryNames({ tree, inode }: FileId): Promise<string[]> {
    const { record, ...found } = await this.tree(tree);
    const names: string[] = [];
    for (let id = inode; id !== record.rootDirectory;) {
      let parent: number | undefined;
      for await (const { leaf, start } of itemsOf(this.#source, found, id, itemTypes.inodeRef)) {
        parent = leaf.offset(start);
        names.unshift(decodeName(leaf.data(start), inodeReferenceBytes));
        break;
      }
      if (parent === undefined || names.length > depthLimit) {
        throw damaged(`directory ${inode} of subvolume ${tree}`, "it is in none");
      }
      id = parent;
    }
    return names;
  }
}

/** A directory has one name, and so one reference in its item. */
const inodeReferenceBytes = 10;

function decodeReference(item: Uint8Array, child: number): { directory: number; name: string } {
  if (item.length < rootReference.sizeBytes) throw damaged(`subvolume ${child} of btrfs`, "its reference is cut off");
  const { directory, nameBytes } = rootReference.decode(item);
  const end = Math.min(item.length, rootReference.sizeBytes + nameBytes);
  return { directory, name: decodeName(item, rootReference.sizeBytes, end) };
}
