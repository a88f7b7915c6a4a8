import { Failure } from "../../base/index.ts";
import type { FileEntry, HardLinkEntry, Metadata, TreeEntry } from "../../tree/index.ts";
import {
  directoriesOf,
  Directory,
  followPath,
  inodeOf,
  kindOf,
  plainFile,
  refuseBadName,
  splitPath,
  type Child,
} from "./directory-tree.ts";
import type { NewDirectoryItem } from "./directory-writer.ts";
import { FileWriter, type FileWriterOptions } from "./file-writer.ts";
import { inodeBase, rootInode } from "./inode.ts";
import type { ExtVolume } from "./volume.ts";

const linkLimit = 65000;
const lostAndFound = "lost+found";
const lostAndFoundBytes = 16 * 1024;

/**
 * Puts trees of files into a new file system, one after the other. A later file replaces an earlier one; a
 * directory that is there already gets the later metadata and keeps what is in it, also where a link leads to it.
 */
export class TreeBuilder {
  readonly #volume: ExtVolume;
  readonly #files: FileWriter;
  readonly #root: Directory;
  readonly #lostAndFound: Directory;
  #lastFolder = "";
  #lastDirectory: Directory;

  constructor(volume: ExtVolume, options: FileWriterOptions = {}) {
    this.#volume = volume;
    this.#files = new FileWriter(volume, options);
    this.#root = new Directory(rootInode, { parent: undefined, name: "" }, this.#defaultMetadata(0o755));
    this.#lastDirectory = this.#root;
    volume.countDirectory(rootInode, 1);
    this.#lostAndFound = this.#newDirectory(this.#root, lostAndFound, this.#defaultMetadata(0o700));
  }

  async add(entry: TreeEntry): Promise<void> {
    if (entry.path === "") {
      if (entry.kind === "directory") this.#root.metadata = entry;
      return;
    }
    const { folder, name } = splitPath(entry.path);
    const parent = this.#directoryAt(folder, entry.path);
    refuseBadName(name, entry.path);
    if (entry.kind === "hardlink") return this.#addHardLink(parent, name, entry);
    const existing = parent.children.get(name);
    if (existing !== undefined) {
      if (entry.kind === "directory" && this.#mergeDirectory(parent, existing, entry)) return;
      await this.#remove(parent, name, entry.path);
    }
    if (entry.kind === "directory") {
      this.#newDirectory(parent, name, entry);
      return;
    }
    const inode = await this.#files.write(entry);
    const child: Child =
      entry.kind === "symlink"
        ? { kind: "symlink", inode, target: entry.linkTarget ?? "" }
        : plainFile(inode, entry.kind);
    parent.children.set(name, child);
  }

  /** Writes all directories. Nothing can be added after it. */
  async finish(): Promise<void> {
    for (const directory of directoriesOf(this.#root)) {
      await this.#files.writeDirectory({
        inode: directory.inode,
        parent: directory.parent?.inode ?? directory.inode,
        path: directory.path,
        links: this.#directoryLinks(directory),
        metadata: directory.metadata,
        items: itemsOf(directory),
        minimumBlocks: directory === this.#lostAndFound ? lostAndFoundBytes / this.#volume.blockSizeBytes : 1,
      });
    }
    await this.#files.finish();
  }

  #defaultMetadata(mode: number): Metadata {
    return { mode, uid: 0, gid: 0, modified: this.#volume.profile.now };
  }

  /** The directory at a path, with those that are missing made on the way. */
  #directoryAt(folder: string, forPath: string): Directory {
    if (folder === this.#lastFolder) return this.#lastDirectory;
    const directory = followPath(this.#root, this.#root, folder, (parent, name) => {
      refuseBadName(name, forPath);
      return this.#newDirectory(parent, name, this.#defaultMetadata(0o755));
    });
    if (directory === undefined) {
      throw new Failure("failed", `cannot add "${forPath}": "${folder}" is not a directory`);
    }
    this.#lastFolder = folder;
    this.#lastDirectory = directory;
    return directory;
  }

  #newDirectory(parent: Directory, name: string, metadata: Metadata): Directory {
    const directory = new Directory(this.#volume.takeInode(), { parent, name }, metadata);
    parent.children.set(name, directory);
    parent.subdirectories++;
    this.#volume.countDirectory(directory.inode, 1);
    return directory;
  }

  #mergeDirectory(parent: Directory, existing: Child, entry: FileEntry): boolean {
    if (existing instanceof Directory) {
      existing.metadata = entry;
      return true;
    }
    if (typeof existing === "number") return false;
    return followPath(this.#root, parent, existing.target, () => undefined) !== undefined;
  }

  async #addHardLink(parent: Directory, name: string, entry: HardLinkEntry): Promise<void> {
    const place = splitPath(entry.linkTarget);
    const folder = followPath(this.#root, this.#root, place.folder, () => undefined);
    const target = folder?.children.get(place.name);
    if (target === undefined || target instanceof Directory) {
      throw new Failure(
        "failed",
        `cannot add "${entry.path}": "${entry.linkTarget}", which it is a hard link to, is not there`,
      );
    }
    const existing = parent.children.get(name);
    if (existing !== undefined) {
      if (inodeOf(existing) === inodeOf(target)) return;
      await this.#remove(parent, name, entry.path);
    }
    await this.#changeLinks(inodeOf(target), 1, entry.path);
    parent.children.set(name, target);
  }

  async #remove(parent: Directory, name: string, forPath: string): Promise<void> {
    const child = parent.children.get(name);
    if (child === undefined) return;
    if (child instanceof Directory) {
      if (child.children.size > 0) {
        throw new Failure("failed", `cannot add "${forPath}": a directory with files in it has that name`);
      }
      parent.subdirectories--;
      this.#volume.countDirectory(child.inode, -1);
      this.#volume.releaseInode(child.inode);
    } else if ((await this.#changeLinks(inodeOf(child), -1, forPath)) === 0) {
      await this.#files.release(inodeOf(child));
    }
    parent.children.delete(name);
    this.#lastFolder = "";
    this.#lastDirectory = this.#root;
  }

  /** Gives the new number of links; what a volume that only counts once held is never given back. */
  async #changeLinks(inode: number, change: 1 | -1, path: string): Promise<number> {
    let links = 1;
    await this.#volume.inodeTable.update(inode, ({ bytes, at }) => {
      links = inodeBase.get(bytes, "linkCount", at) + change;
      if (this.#volume.isOverfull) links = 1;
      if (links > linkLimit) {
        throw new Failure("failed", `cannot add "${path}": ext holds ${linkLimit} hard links to one file`);
      }
      inodeBase.patch(bytes, { linkCount: links }, at);
    });
    return links;
  }

  /** With `dir_nlink` a directory with too many directories in it says 1, which means that they are not counted. */
  #directoryLinks(directory: Directory): number {
    const links = directory.subdirectories + 2;
    if (links < linkLimit) return links;
    if (this.#volume.has("dir_nlink")) return 1;
    throw new Failure(
      "failed",
      `cannot fill "${directory.path}": ${this.#volume.profile.kind} holds ${linkLimit} directories in one`,
    );
  }
}

function* itemsOf(directory: Directory): Generator<NewDirectoryItem> {
  for (const [name, child] of directory.children) yield { name, inode: inodeOf(child), kind: kindOf(child) };
}
