import { Failure } from "../../base/index.ts";
import { decodeName } from "../../bytes/index.ts";
import type { DataPiece, EntryKind, FileStretch } from "../../tree/index.ts";
import { damaged } from "../damaged.ts";
import type {
  DirectoryItem,
  Extent,
  FilePlace,
  FileStat,
  FileSystem,
  FileSystemInfo,
  Problem,
} from "../file-system.ts";
import { limitProblems } from "../limit-problems.ts";
import { onlyOnce } from "./check-report.ts";
import { checkBtrfs } from "./check.ts";
import { DataReader } from "./data-reader.ts";
import { nameHash, namesIn, refuseImpossibleName, type NamedItem } from "./directory.ts";
import { placesOf, readFile, stretchesOf, type FileToRead } from "./file-extents.ts";
import { decodeInode, kindOf, statOf } from "./inode.ts";
import { ids, itemTypes } from "./key.ts";
import type { InodeRecord } from "./records.ts";
import type { BtrfsSource } from "./source.ts";
import type { FileId, Subvolumes } from "./subvolumes.ts";
import { find, itemsOf, leavesOf } from "./tree.ts";
import { usedExtents } from "./used-extents.ts";

/** The root of every subvolume. */
const rootInode = ids.firstFile;
/** Stands for the tree of directories that are only names of subvolumes elsewhere. */
const namesOnly = 0;

interface OpenFile extends FileId {
  readonly inode: number;
  readonly record: InodeRecord;
  readonly xattrs: ReadonlyMap<string, Uint8Array>;
  readonly what: string;
}

/**
 * A btrfs on one device, read-only, with its subvolumes and snapshots as directories where they are. It borrows its reader
 * and closes nothing.
 */
export class BtrfsFileSystem implements FileSystem {
  readonly info: FileSystemInfo;
  readonly rootId = rootInode;
  readonly #source: BtrfsSource;
  readonly #subvolumes: Subvolumes;
  readonly #data: DataReader;
  /** The directories in which names of subvolumes elsewhere are, by directory and name. */
  readonly #stubs = new Map<string, { readonly id: number; readonly directory: number }>();
  readonly #stubsById = new Map<number, number>();

  constructor(source: BtrfsSource, subvolumes: Subvolumes, info: FileSystemInfo) {
    this.#source = source;
    this.#subvolumes = subvolumes;
    this.#data = new DataReader(source);
    this.info = info;
  }

  async stat(id: number): Promise<FileStat> {
    const directory = this.#stubsById.get(id);
    if (directory !== undefined) return this.#stubStat(id, directory);
    const { record, xattrs } = await this.#file(id);
    return statOf(id, record, xattrs);
  }

  async *list(id: number): AsyncGenerator<readonly DirectoryItem[]> {
    if (this.#stubsById.has(id)) return;
    const file = await this.#fileOf(id, "directory", "list");
    const tree = await this.#subvolumes.tree(file.tree);
    for await (const { leaf, start, end } of itemsOf(this.#source, tree, file.inode, itemTypes.dirIndex)) {
      const items: DirectoryItem[] = [];
      for (let n = start; n < end; n++) {
        for (const item of namesIn(leaf.data(n), file.what)) {
          refuseImpossibleName(item.name, file.what);
          items.push({ name: item.name, id: await this.#target(file, id, item) });
        }
      }
      yield items;
    }
  }

  async find(id: number, name: string): Promise<number | undefined> {
    if (this.#stubsById.has(id)) return undefined;
    const file = await this.#fileOf(id, "directory", "look into");
    const tree = await this.#subvolumes.tree(file.tree);
    const key = { id: file.inode, type: itemTypes.dirItem, offset: nameHash(name) };
    const found = await find(this.#source, tree, key);
    if (found === undefined) return undefined;
    const item = namesIn(found.leaf.data(found.n), file.what).find((one) => one.name === name);
    return item === undefined ? undefined : this.#target(file, id, item);
  }

  async readLink(id: number): Promise<string> {
    const file = await this.#fileOf(id, "symlink", "follow");
    const target = Buffer.alloc(Math.min(file.record.sizeBytes, this.#source.nodeBytes));
    for await (const { at, bytes } of readFile(this.#source, this.#data, await this.#toRead(file))) {
      if (at + bytes.length <= target.length) target.set(bytes, at);
    }
    if (target.length === 0 || target.includes(0)) throw damaged(file.what, "a link cannot say that");
    return decodeName(target);
  }

  async *content(id: number): AsyncGenerator<DataPiece> {
    const file = await this.#fileOf(id, "file", "read");
    yield* readFile(this.#source, this.#data, await this.#toRead(file));
  }

  async stretches(id: number): Promise<readonly FileStretch[]> {
    const file = await this.#fileOf(id, "file", "read");
    return stretchesOf(this.#source, await this.#toRead(file));
  }

  async places(id: number): Promise<readonly FilePlace[] | undefined> {
    const file = await this.#fileOf(id, "file", "read");
    return placesOf(this.#source, await this.#toRead(file));
  }

  usedExtents(): AsyncIterable<Extent> {
    return usedExtents(this.#source);
  }

  check(): AsyncIterable<Problem> {
    return limitProblems(onlyOnce(checkBtrfs(this.#source)));
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  /** An inode with its attributes. Throws `damaged` where there is none. */
  async #file(id: number): Promise<OpenFile> {
    const place = this.#subvolumes.fileOf(id);
    const what = place.tree === ids.topLevel ? `file ${place.inode}` : `file ${place.inode} of subvolume ${place.tree}`;
    const tree = await this.#subvolumes.tree(place.tree);
    const from = { id: place.inode, type: itemTypes.inode, offset: 0 };
    const to = { id: place.inode, type: itemTypes.xattr, offset: -1 };
    let record: InodeRecord | undefined;
    const xattrs = new Map<string, Uint8Array>();
    for await (const { leaf, start, end } of leavesOf(this.#source, tree, from, to)) {
      for (let n = start; n < end; n++) {
        const type = leaf.type(n);
        if (type === itemTypes.inode) record = decodeInode(leaf.data(n), what);
        if (type !== itemTypes.xattr) continue;
        for (const { name, value } of namesIn(leaf.data(n), what)) xattrs.set(name, value.slice());
      }
    }
    if (record === undefined) throw damaged(what, "there is no inode of it");
    return { ...place, record, xattrs, what };
  }

  async #fileOf(id: number, kind: EntryKind, action: string): Promise<OpenFile> {
    if (this.#stubsById.has(id)) throw new Failure("failed", `cannot ${action} file ${id}: it is a directory`);
    const file = await this.#file(id);
    const found = kindOf(file.record);
    if (found === kind) return file;
    throw new Failure("failed", `cannot ${action} ${file.what}: it is a ${found}`);
  }

  async #toRead({ tree, inode, record, what }: OpenFile): Promise<FileToRead> {
    return { tree: await this.#subvolumes.tree(tree), inode, sizeBytes: record.sizeBytes, what };
  }

  /** The id of what a name stands for: a file, the root of a subvolume, or an empty directory where that is elsewhere. */
  async #target(directory: OpenFile, directoryId: number, { name, target }: NamedItem): Promise<number> {
    if (target.type === itemTypes.inode) return this.#subvolumes.idOf({ tree: directory.tree, inode: target.id });
    if (target.type !== itemTypes.rootItem) {
      throw damaged(directory.what, `${JSON.stringify(name)} stands for an item of the type ${target.type}`);
    }
    if (await this.#subvolumes.isAt(target.id, directory, name)) {
      return this.#subvolumes.idOf({ tree: target.id, inode: rootInode });
    }
    const key = `${directoryId}/${name}`;
    const known = this.#stubs.get(key);
    if (known !== undefined) return known.id;
    const id = this.#subvolumes.idOf({ tree: namesOnly, inode: this.#stubs.size });
    this.#stubs.set(key, { id, directory: directoryId });
    this.#stubsById.set(id, directoryId);
    return id;
  }

  /** As Linux shows it; of times it has none. */
  async #stubStat(id: number, directory: number): Promise<FileStat> {
    const { modified } = await this.stat(directory);
    return { id, kind: "directory", mode: 0o755, uid: 0, gid: 0, sizeBytes: 0, allocatedBytes: 0, links: 1, modified };
  }
}
