import { Failure, type JobOptions } from "../base/index.ts";
import { printableName } from "../bytes/index.ts";
import {
  copyTree,
  type FileEntry,
  type HardLinkEntry,
  type Metadata,
  type Timestamp,
  type TreeEntry,
  type TreeSource,
  type TreeTarget,
} from "../tree/index.ts";
import type { EditableFileSystem, MetadataChange, NamePlace } from "./editable-file-system.ts";
import type { FileStat } from "./file-system.ts";
import { resolvePath } from "./path.ts";

export interface PutTreeOptions extends JobOptions {
  /** The time that directories are given which the tree leaves out. */
  readonly now: Timestamp;
  /**
   * What a file or directory that is there already becomes. `replace`: a new file takes its place, and a directory
   * gets the metadata of the tree's, as when a tar is unpacked. A function: it stays the same file, gets the new data
   * and what the function says of its metadata, as when one is copied over it.
   */
  readonly onExisting: "replace" | ((entry: FileEntry, stat: FileStat) => MetadataChange);
}

/**
 * Puts trees of files into a directory, one after the other; gives how many entries there were. A directory that is
 * there already keeps what is in it; links to directories on the way are followed inside the file system; directories
 * that a tree leaves out are made. Throws `exists` where a file would have to replace a directory that is not empty.
 */
export async function putTree(
  fileSystem: EditableFileSystem,
  directoryPath: string,
  sources: readonly TreeSource[],
  options: PutTreeOptions,
): Promise<number> {
  let count = 0;
  for (const source of sources) {
    await using target = await TreePutter.into(fileSystem, directoryPath, options);
    count += await copyTree(source, target, { ...options, phase: "putting" });
  }
  return count;
}

class TreePutter implements TreeTarget {
  readonly #fileSystem: EditableFileSystem;
  readonly #rootPath: string;
  readonly #options: PutTreeOptions;
  /** The directories that paths of the tree lead to, so that each is looked for once. */
  readonly #directories = new Map<string, number>();
  /** Where names fold case: the paths of files that the tree has brought, so that none silently replaces another. */
  readonly #brought = new Map<number, string>();
  /** What directories are to look like once nothing more comes into them. */
  readonly #pending = new Map<number, MetadataChange>();

  private constructor(fileSystem: EditableFileSystem, rootPath: string, options: PutTreeOptions) {
    this.#fileSystem = fileSystem;
    this.#rootPath = rootPath;
    this.#options = options;
  }

  static async into(fileSystem: EditableFileSystem, path: string, options: PutTreeOptions): Promise<TreePutter> {
    const id = await resolvePath(fileSystem, path);
    if ((await fileSystem.stat(id)).kind !== "directory") {
      throw new Failure("exists", `cannot put anything into "${printableName(path)}": it is not a directory`);
    }
    return new TreePutter(fileSystem, path, options);
  }

  async add(entry: TreeEntry): Promise<void> {
    if (entry.path === "") {
      if (entry.kind === "directory") await this.#meetDirectory(await this.#directoryAt("", ""), entry);
      return;
    }
    const cut = entry.path.lastIndexOf("/");
    const directory = await this.#directoryAt(entry.path.slice(0, Math.max(0, cut)), entry.path);
    const place = { directory, name: entry.path.slice(cut + 1) };
    if (entry.kind === "hardlink") return this.#link(place, entry);
    const existing = await this.#fileSystem.find(place.directory, place.name);
    if (entry.kind === "directory") return this.#putDirectory(place, existing, entry);
    if (existing !== undefined) this.#refuseOtherCase(existing, entry.path);
    if (existing !== undefined && (await this.#fillExisting(existing, entry))) return;
    if (existing !== undefined) await this.#clear(place, existing, entry.path);
    const id = await this.#fileSystem.create(place, entry);
    if (this.#fileSystem.info.foldsCase === true) this.#brought.set(id, entry.path);
  }

  /** Two files of the tree whose names are the same here. */
  #refuseOtherCase(existing: number, path: string): void {
    const other = this.#brought.get(existing);
    if (other === undefined || other === path) return;
    const { kind } = this.#fileSystem.info;
    throw new Failure(
      "exists",
      `cannot put "${printableName(path)}" beside "${printableName(other)}": ${kind} takes both for one`,
      {
        hint: "rename one of them, or use a file system that tells upper from lower case",
      },
    );
  }

  /** Sets what directories look like, which putting something into them would have changed. */
  async finish(): Promise<void> {
    for (const [id, change] of this.#pending) {
      const needed = neededChange(this.#fileSystem.keepable(change), await this.#fileSystem.stat(id));
      if (Object.keys(needed).length > 0) await this.#fileSystem.setMetadata(id, needed);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  async #putDirectory(place: NamePlace, existing: number | undefined, entry: FileEntry): Promise<void> {
    if (existing !== undefined) {
      const id = await this.#directoryThrough(existing, entry.path);
      if (id !== undefined) {
        this.#directories.set(entry.path, id);
        return this.#meetDirectory(id, entry);
      }
      if (this.#options.onExisting !== "replace") {
        const { kind } = await this.#fileSystem.stat(existing);
        throw inTheWay(entry.path, kind);
      }
      await this.#clear(place, existing, entry.path);
    }
    const id = await this.#fileSystem.create(place, entry);
    this.#directories.set(entry.path, id);
    this.#pending.set(id, { modified: entry.modified });
  }

  /** The tree has a directory that is there already. */
  async #meetDirectory(id: number, entry: FileEntry): Promise<void> {
    const { onExisting } = this.#options;
    const change = onExisting === "replace" ? metadataOf(entry) : onExisting(entry, await this.#fileSystem.stat(id));
    // One that came with an earlier part of this tree keeps the time that it is to have.
    this.#pending.set(id, { ...this.#pending.get(id), ...change });
  }

  /** Gives a file that is there already the data of the tree's; false where a new one has to take its place. */
  async #fillExisting(existing: number, entry: FileEntry): Promise<boolean> {
    const { onExisting } = this.#options;
    if (onExisting === "replace" || entry.kind !== "file") return false;
    const id = await this.#fileThrough(existing, entry.path);
    const stat = await this.#fileSystem.stat(id);
    if (stat.kind !== "file") throw inTheWay(entry.path, stat.kind);
    const { sizeBytes, content } = entry;
    await this.#fileSystem.replaceContent(id, content === undefined ? { sizeBytes } : { sizeBytes, content });
    const change = this.#fileSystem.keepable(onExisting(entry, stat));
    if (Object.keys(change).length > 0) await this.#fileSystem.setMetadata(id, change);
    return true;
  }

  async #link(place: NamePlace, { path, linkTarget }: HardLinkEntry): Promise<void> {
    const cut = linkTarget.lastIndexOf("/");
    const folder = await this.#directoryAt(linkTarget.slice(0, Math.max(0, cut)), path);
    const id = await this.#fileSystem.find(folder, linkTarget.slice(cut + 1));
    if (id === undefined) {
      const target = printableName(linkTarget);
      throw new Failure(
        "failed",
        `cannot put "${printableName(path)}": "${target}", which it is a hard link to, is not there`,
      );
    }
    const existing = await this.#fileSystem.find(place.directory, place.name);
    if (existing === id) return;
    if (existing !== undefined) await this.#clear(place, existing, path);
    try {
      await this.#fileSystem.link(place, id);
    } catch (error) {
      if (!(error instanceof Failure && error.code === "unsupported")) throw error;
      await this.#copy(place, id); // as cp does where there are no hard links
    }
  }

  async #copy(place: NamePlace, id: number): Promise<void> {
    const stat = await this.#fileSystem.stat(id);
    await this.#fileSystem.create(place, { ...stat, content: this.#fileSystem.content(id) });
  }

  /** Takes away what stands in the way: a file, or a directory without anything in it. */
  async #clear(place: NamePlace, existing: number, path: string): Promise<void> {
    const { kind } = await this.#fileSystem.stat(existing);
    if (kind === "directory" && !(await isEmpty(this.#fileSystem, existing))) {
      throw new Failure("exists", `cannot put "${printableName(path)}": a directory with files in it has that name`);
    }
    await this.#fileSystem.remove(place);
    if (kind !== "directory" && kind !== "symlink") return;
    this.#pending.delete(existing);
    this.#directories.clear(); // some may have led through it
  }

  /** The directory at a path of the tree; what is missing of the way is made. */
  async #directoryAt(path: string, forPath: string): Promise<number> {
    const known = this.#directories.get(path);
    if (known !== undefined) return known;
    const id = await this.#findDirectory(path, forPath);
    this.#directories.set(path, id);
    return id;
  }

  async #findDirectory(path: string, forPath: string): Promise<number> {
    if (path === "") return resolvePath(this.#fileSystem, this.#rootPath);
    const cut = path.lastIndexOf("/");
    const directory = await this.#directoryAt(path.slice(0, Math.max(0, cut)), forPath);
    const place = { directory, name: path.slice(cut + 1) };
    const existing = await this.#fileSystem.find(place.directory, place.name);
    if (existing === undefined) {
      const metadata = { mode: 0o755, uid: 0, gid: 0, modified: this.#options.now, sizeBytes: 0 };
      return this.#fileSystem.create(place, { kind: "directory", ...metadata });
    }
    const id = await this.#directoryThrough(existing, path);
    if (id !== undefined) return id;
    throw new Failure("exists", `cannot put "${printableName(forPath)}": "${printableName(path)}" is not a directory`);
  }

  /** The directory that a name of the tree is, or that the link of that name leads to. */
  async #directoryThrough(id: number, path: string): Promise<number | undefined> {
    const { kind } = await this.#fileSystem.stat(id);
    if (kind === "directory") return id;
    if (kind !== "symlink") return undefined;
    const target = await this.#follow(path);
    if (target === undefined || (await this.#fileSystem.stat(target)).kind !== "directory") return undefined;
    return target;
  }

  /** What a file's data goes into: itself, or what the link of its name leads to. */
  async #fileThrough(id: number, path: string): Promise<number> {
    if ((await this.#fileSystem.stat(id)).kind !== "symlink") return id;
    const target = await this.#follow(path);
    if (target !== undefined) return target;
    throw new Failure("exists", `cannot put "${printableName(path)}": it is a link that leads nowhere`, {
      hint: "remove the link first",
    });
  }

  async #follow(path: string): Promise<number | undefined> {
    try {
      return await resolvePath(this.#fileSystem, `${this.#rootPath}/${path}`);
    } catch (error) {
      if (error instanceof Failure && error.code === "not-found") return undefined;
      throw error;
    }
  }
}

function inTheWay(path: string, kind: FileStat["kind"]): Failure {
  return new Failure("exists", `cannot put "${printableName(path)}": there is a ${kind} of that name`, {
    hint: "remove it first",
  });
}

function metadataOf({ mode, uid, gid, modified, xattrs }: Metadata): MetadataChange {
  return { mode, uid, gid, modified, ...(xattrs === undefined ? {} : { xattrs }) };
}

/** Only what is not so already: a file system need not be able to keep what nobody asks it to change. */
function neededChange(change: MetadataChange, stat: FileStat): MetadataChange {
  const { mode, uid, gid, ...rest } = change;
  return {
    ...rest,
    ...(mode === undefined || mode === stat.mode ? {} : { mode }),
    ...(uid === undefined || uid === stat.uid ? {} : { uid }),
    ...(gid === undefined || gid === stat.gid ? {} : { gid }),
  };
}

async function isEmpty(fileSystem: EditableFileSystem, id: number): Promise<boolean> {
  for await (const items of fileSystem.list(id)) if (items.length > 0) return false;
  return true;
}
