import { Failure } from "../../base/index.ts";
import { encodeName } from "../../bytes/index.ts";
import type { EntryKind, FileEntry, Metadata, TreeEntry } from "../../tree/index.ts";
import { AttributeWriter, type StoredAttributes } from "./attribute-writer.ts";
import { writeBlockMap } from "./block-map.ts";
import { ContentWriter } from "./content-writer.ts";
import { nameLimitBytes } from "./directory-entry.ts";
import { layOutDirectory, type NewDirectoryItem } from "./directory-writer.ts";
import { releaseFile } from "./file-release.ts";
import { encodeDeviceNumber, encodeInode, extraSizeOf } from "./inode-encoder.ts";
import { inodeBase, inodeFlag, rootInode } from "./inode.ts";
import type { ExtVolume } from "./volume.ts";

/** A directory of the new file system: what is in it stays in memory until all is known. */
interface Directory {
  readonly kind: "directory";
  readonly inode: number;
  readonly parent: Directory | undefined;
  readonly children: Map<string, Child>;
  metadata: Metadata;
  subdirectories: number;
}

interface Link {
  readonly kind: "symlink";
  readonly inode: number;
  readonly target: string;
}

/** Every other file: inode number × 8 + the place of its kind in `plainKinds`. */
type PlainFile = number;
type Child = Directory | Link | PlainFile;

const plainKinds = ["file", "character", "block", "fifo", "socket"] as const satisfies readonly EntryKind[];

const shortLinkBytes = 60;
const linkLimit = 65000;
const symlinkDepthLimit = 40;
const lostAndFound = "lost+found";
const lostAndFoundBytes = 16 * 1024;
const blockLimit32 = 2 ** 32;

const inodeOf = (child: Child): number => (typeof child === "number" ? Math.floor(child / 8) : child.inode);
const kindOf = (child: Child): EntryKind => {
  return typeof child === "number" ? (plainKinds[child % 8] ?? "file") : child.kind;
};

export interface TreeBuilderOptions {
  readonly onBytes?: (count: number) => void;
  readonly onWarning?: (message: string) => void;
}

/** Puts trees of files into a new file system, one after the other: later files replace earlier ones. */
export class TreeBuilder {
  readonly #volume: ExtVolume;
  readonly #attributes: AttributeWriter;
  readonly #options: TreeBuilderOptions;
  readonly #root: Directory;
  readonly #directories: Directory[] = [];
  #lastParentPath = "";
  #lastParent: Directory;

  constructor(volume: ExtVolume, options: TreeBuilderOptions = {}) {
    this.#volume = volume;
    this.#options = options;
    this.#attributes = new AttributeWriter(volume, extraSizeOf(volume.profile.inodeSizeBytes));
    this.#root = {
      kind: "directory",
      inode: rootInode,
      parent: undefined,
      children: new Map(),
      metadata: this.#plainMetadata(0o755),
      subdirectories: 0,
    };
    this.#lastParent = this.#root;
    this.#directories.push(this.#root);
    volume.countDirectory(rootInode, 1);
    this.#newDirectory(this.#root, lostAndFound, this.#plainMetadata(0o700));
  }

  get fileCount(): number {
    return this.#volume.inodesTaken;
  }

  async add(entry: TreeEntry): Promise<void> {
    if (entry.path === "") {
      if (entry.kind === "directory") this.#root.metadata = entry;
      return;
    }
    const slash = entry.path.lastIndexOf("/");
    const parent = this.#parentAt(slash < 0 ? "" : entry.path.slice(0, slash), entry.path);
    const name = slash < 0 ? entry.path : entry.path.slice(slash + 1);
    refuseBadName(name, entry.path);
    if (entry.kind === "hardlink") return this.#addHardLink(parent, name, entry.path, entry.linkTarget);
    const existing = parent.children.get(name);
    if (existing !== undefined) {
      if (entry.kind === "directory" && this.#mergeDirectory(existing, parent, entry)) return;
      await this.#remove(parent, name, existing, entry.path);
    }
    if (entry.kind === "directory") this.#newDirectory(parent, name, entry);
    else parent.children.set(name, await this.#writeFile(entry));
  }

  /** Writes all directories. Nothing can be added after it. */
  async finish(): Promise<void> {
    for (const directory of this.#directories) {
      if (directory.parent !== undefined && directory.parent.children.get(lastNameOf(directory)) !== directory)
        continue;
      await this.#writeDirectory(directory);
    }
  }

  #plainMetadata(mode: number): Metadata {
    return { mode, uid: 0, gid: 0, modified: this.#volume.profile.now };
  }

  // ---- names

  #parentAt(path: string, forPath: string): Directory {
    if (path === this.#lastParentPath) return this.#lastParent;
    const parent = path === "" ? this.#root : this.#walk(this.#root, path, forPath, 0);
    this.#lastParentPath = path;
    this.#lastParent = parent;
    return parent;
  }

  /** The directory at a path, with the directories that are missing made on the way and links followed inside. */
  #walk(from: Directory, path: string, forPath: string, depth: number): Directory {
    if (depth > symlinkDepthLimit) {
      throw new Failure("failed", `cannot add "${forPath}": symbolic links lead in a circle`);
    }
    let directory = path.startsWith("/") ? this.#root : from;
    for (const name of path.split("/")) {
      if (name === "" || name === ".") continue;
      if (name === "..") {
        directory = directory.parent ?? directory;
        continue;
      }
      const child = directory.children.get(name);
      if (child === undefined) {
        refuseBadName(name, forPath);
        directory = this.#newDirectory(directory, name, this.#plainMetadata(0o755));
      } else if (typeof child === "object" && child.kind === "directory") directory = child;
      else if (typeof child === "object") directory = this.#walk(directory, child.target, forPath, depth + 1);
      else throw new Failure("failed", `cannot add "${forPath}": "${name}" is not a directory`);
    }
    return directory;
  }

  #newDirectory(parent: Directory, name: string, metadata: Metadata): Directory {
    const inode = this.#volume.takeInode();
    const directory = new NamedDirectory(inode, parent, name, metadata);
    parent.children.set(name, directory);
    parent.subdirectories++;
    this.#directories.push(directory);
    this.#volume.countDirectory(inode, 1);
    return directory;
  }

  /** A directory where there is one gets the new metadata and keeps what is in it, also behind a link. */
  #mergeDirectory(existing: Child, parent: Directory, entry: FileEntry): boolean {
    if (typeof existing === "number") return false;
    if (existing.kind === "directory") {
      existing.metadata = entry;
      return true;
    }
    return this.#leadsToDirectory(parent, existing.target, 0);
  }

  #leadsToDirectory(from: Directory, target: string, depth: number): boolean {
    if (depth > symlinkDepthLimit) return false;
    let directory: Directory = target.startsWith("/") ? this.#root : from;
    for (const name of target.split("/")) {
      if (name === "" || name === ".") continue;
      if (name === "..") {
        directory = directory.parent ?? directory;
        continue;
      }
      const child = directory.children.get(name);
      if (child === undefined || typeof child === "number") return false;
      if (child.kind === "symlink") return this.#leadsToDirectory(directory, child.target, depth + 1);
      directory = child;
    }
    return true;
  }

  async #addHardLink(parent: Directory, name: string, path: string, targetPath: string): Promise<void> {
    const slash = targetPath.lastIndexOf("/");
    const folder = this.#walk(this.#root, slash < 0 ? "" : targetPath.slice(0, slash), path, 0);
    const target = folder.children.get(targetPath.slice(slash + 1));
    if (target === undefined || (typeof target === "object" && target.kind === "directory")) {
      throw new Failure("failed", `cannot add "${path}": "${targetPath}", which it is a hard link to, is not there`);
    }
    const existing = parent.children.get(name);
    if (existing !== undefined) {
      if (inodeOf(existing) === inodeOf(target)) return;
      await this.#remove(parent, name, existing, path);
    }
    await this.#changeLinks(inodeOf(target), 1, path);
    parent.children.set(name, target);
  }

  async #remove(parent: Directory, name: string, child: Child, path: string): Promise<void> {
    if (typeof child === "object" && child.kind === "directory") {
      if (child.children.size > 0) {
        throw new Failure("failed", `cannot add "${path}": a directory with files in it has that name`);
      }
      parent.subdirectories--;
      this.#volume.countDirectory(child.inode, -1);
      this.#volume.releaseInode(child.inode);
    } else if ((await this.#changeLinks(inodeOf(child), -1, path)) === 0) {
      await releaseFile(this.#volume, this.#attributes, inodeOf(child));
    }
    parent.children.delete(name);
    this.#lastParentPath = "";
    this.#lastParent = this.#root;
  }

  async #changeLinks(inode: number, change: 1 | -1, path: string): Promise<number> {
    let links = 0;
    await this.#volume.inodeTable.update(inode, ({ bytes, at }) => {
      links = inodeBase.get(bytes, "linkCount", at) + change;
      if (links > linkLimit) {
        throw new Failure("failed", `cannot add "${path}": ext holds ${linkLimit} hard links to one file`);
      }
      inodeBase.patch(bytes, { linkCount: Math.max(links, 0) }, at);
    });
    return this.#volume.isOverfull ? 1 : links;
  }

  // ---- files

  async #writeFile(entry: FileEntry): Promise<Child> {
    const inode = this.#volume.takeInode();
    const attributes = await this.#storeAttributes(entry, entry.path);
    const data = await this.#writeData(entry, inode);
    await this.#volume.inodeTable.update(inode, (slot) => {
      encodeInode(this.#volume, slot, {
        kind: entry.kind,
        metadata: entry,
        sizeBytes: data.sizeBytes,
        links: 1,
        flags: data.flags,
        block: data.block,
        blockCount: data.blockCount + (attributes.block === 0 ? 0 : 1),
        attributeBlock: attributes.block,
        inInodeAttributes: attributes.inInode,
      });
    });
    if (entry.kind === "symlink") return { kind: "symlink", inode, target: entry.linkTarget ?? "" };
    return inode * 8 + plainKinds.indexOf(entry.kind as (typeof plainKinds)[number]);
  }

  async #storeAttributes(metadata: Metadata, path: string): Promise<StoredAttributes> {
    const stored = await this.#attributes.store(metadata.xattrs);
    for (const name of stored.refused) {
      this.#options.onWarning?.(`the attribute ${name} of "${path}" was left out: ext cannot hold it`);
    }
    return stored;
  }

  async #writeData(entry: FileEntry, inode: number): Promise<WrittenData> {
    if (entry.kind === "file") return this.#writeContent(entry, entry.path, inode);
    if (entry.kind === "symlink") return this.#writeLink(entry, inode);
    const block = entry.device === undefined ? new Uint8Array(60) : encodeDeviceNumber(entry.device);
    return { block, flags: 0, blockCount: 0, sizeBytes: 0 };
  }

  async #writeLink(entry: FileEntry, inode: number): Promise<WrittenData> {
    const target = encodeName(entry.linkTarget ?? "");
    if (target.length < shortLinkBytes) {
      const block = new Uint8Array(60);
      block.set(target);
      return { block, flags: 0, blockCount: 0, sizeBytes: target.length };
    }
    if (target.length >= this.#volume.blockSizeBytes) {
      const most = this.#volume.blockSizeBytes - 1;
      throw new Failure("failed", `cannot add the link "${entry.path}": it has ${target.length} bytes, ${most} fit`, {
        hint: "use larger blocks",
      });
    }
    const content = [{ at: 0, bytes: target }];
    return this.#writeContent({ sizeBytes: target.length, content }, entry.path, inode);
  }

  async #writeContent(
    file: Pick<FileEntry, "sizeBytes" | "content">,
    name: string,
    inode: number,
  ): Promise<WrittenData> {
    const { sizeBytes } = file;
    this.#refuseTooLarge(sizeBytes, name);
    const writer = new ContentWriter(this.#volume, { name, sizeBytes }, this.#options.onBytes);
    if (file.content !== undefined) await writer.write(file.content);
    const map = await writeBlockMap(this.#volume, inode, writer.runs);
    return { block: map.block, flags: map.flags, blockCount: writer.blockCount + map.mapBlocks, sizeBytes };
  }

  #refuseTooLarge(sizeBytes: number, name: string): void {
    const { blockSizeBytes } = this.#volume;
    const perBlock = blockSizeBytes / 4;
    const mostBlocks = this.#volume.has("extent")
      ? blockLimit32 - 1
      : Math.min(12 + perBlock + perBlock ** 2 + perBlock ** 3, (blockLimit32 * 512) / blockSizeBytes - 1);
    if (sizeBytes > mostBlocks * blockSizeBytes) {
      throw new Failure(
        "failed",
        `cannot add "${name}": it has ${sizeBytes} bytes, a file has at most ${mostBlocks * blockSizeBytes} here`,
        { hint: "use ext4, or larger blocks" },
      );
    }
  }

  // ---- directories

  async #writeDirectory(directory: Directory): Promise<void> {
    const { inode, metadata } = directory;
    const isLostAndFound = directory.parent === this.#root && this.#root.children.get(lostAndFound) === directory;
    const { bytes, isIndexed } = layOutDirectory(this.#volume, {
      inode,
      parent: directory.parent?.inode ?? inode,
      items: itemsOf(directory),
      minimumBlocks: isLostAndFound ? lostAndFoundBytes / this.#volume.blockSizeBytes : 1,
    });
    const name = pathOf(directory);
    const attributes = await this.#storeAttributes(metadata, name);
    const writer = new ContentWriter(this.#volume, { name, sizeBytes: bytes.length });
    await writer.write([{ at: 0, bytes }]);
    const map = await writeBlockMap(this.#volume, inode, writer.runs);
    const links = this.#directoryLinks(directory, name);
    await this.#volume.inodeTable.update(inode, (slot) => {
      encodeInode(this.#volume, slot, {
        kind: "directory",
        metadata,
        sizeBytes: bytes.length,
        links,
        flags: map.flags | (isIndexed ? inodeFlag.indexedDirectory : 0),
        block: map.block,
        blockCount: writer.blockCount + map.mapBlocks + (attributes.block === 0 ? 0 : 1),
        attributeBlock: attributes.block,
        inInodeAttributes: attributes.inInode,
      });
    });
  }

  /** With `dir_nlink` a directory with too many directories in it says 1, which means that they are not counted. */
  #directoryLinks(directory: Directory, name: string): number {
    const links = directory.subdirectories + 2;
    if (links < linkLimit) return links;
    if (this.#volume.has("dir_nlink")) return 1;
    throw new Failure(
      "failed",
      `cannot fill "${name}": ${this.#volume.profile.kind} holds ${linkLimit} directories in one`,
    );
  }
}

interface WrittenData {
  readonly block: Uint8Array;
  readonly flags: number;
  readonly blockCount: number;
  readonly sizeBytes: number;
}

class NamedDirectory implements Directory {
  readonly kind = "directory";
  readonly children = new Map<string, Child>();
  readonly inode: number;
  readonly parent: Directory;
  readonly name: string;
  metadata: Metadata;
  subdirectories = 0;

  constructor(inode: number, parent: Directory, name: string, metadata: Metadata) {
    this.inode = inode;
    this.parent = parent;
    this.name = name;
    this.metadata = metadata;
  }
}

function lastNameOf(directory: Directory): string {
  return directory instanceof NamedDirectory ? directory.name : "";
}

function pathOf(directory: Directory): string {
  const above = directory.parent;
  if (above === undefined) return "/";
  const path = pathOf(above);
  return (path === "/" ? "/" : `${path}/`) + lastNameOf(directory);
}

function* itemsOf(directory: Directory): Generator<NewDirectoryItem> {
  for (const [name, child] of directory.children) yield { name, inode: inodeOf(child), kind: kindOf(child) };
}

function refuseBadName(name: string, path: string): void {
  const length = encodeName(name).length;
  if (length === 0 || length > nameLimitBytes || name === "." || name === ".." || name.includes("\0")) {
    throw new Failure("failed", `cannot add "${path}": "${name}" cannot be a name in ext (1 to 255 bytes)`);
  }
}
