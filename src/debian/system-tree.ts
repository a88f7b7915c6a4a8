import type { FileEntry, Metadata, Timestamp, TreeEntry, TreeSource } from "../tree/index.ts";

/** A file of a system that is being put together in memory. Hard links are one node under several names. */
export type Node = DirectoryNode | FileNode | LinkNode | DeviceNode;

interface NodeBase {
  mode: number;
  uid: number;
  gid: number;
  modified: Timestamp;
  xattrs: ReadonlyMap<string, Uint8Array> | undefined;
}

export interface DirectoryNode extends NodeBase {
  readonly kind: "directory";
  readonly children: Map<string, Node>;
}

export interface FileNode extends NodeBase {
  readonly kind: "file";
  content: Uint8Array;
}

export interface LinkNode extends NodeBase {
  readonly kind: "symlink";
  readonly target: string;
}

export interface DeviceNode extends NodeBase {
  readonly kind: "character" | "block" | "fifo" | "socket";
  readonly device: FileEntry["device"];
}

/** Where a path leads: the folder that has the name, and what is there. */
interface Place {
  readonly folder: DirectoryNode;
  /** Empty for the root itself. */
  readonly name: string;
  readonly node: Node | undefined;
  /** The path without links, with `/` in front. */
  readonly path: string;
}

/** What a call of the operating system would have answered. */
export class TreeError extends Error {
  readonly code: "ENOENT" | "ENOTDIR" | "EISDIR" | "EEXIST" | "ENOTEMPTY" | "ELOOP" | "EINVAL";

  constructor(code: TreeError["code"], path: string) {
    super(`${path}: ${code}`);
    this.code = code;
  }
}

const linkLimit = 40;
const noBytes = new Uint8Array(0);

/**
 * The files of a system, in memory, as a running system would see them: paths begin at `/` and follow links. Every
 * change can be taken back to a mark, so that a script that cannot be followed to its end leaves nothing behind.
 */
export class SystemTree {
  readonly root: DirectoryNode;
  readonly now: Timestamp;
  #undo: (() => void)[] = [];

  constructor(now: Timestamp) {
    this.now = now;
    this.root = { kind: "directory", children: new Map(), ...this.#fresh(0o755) };
  }

  /** A point to which `revert` can go back. */
  mark(): number {
    return this.#undo.length;
  }

  revert(mark: number): void {
    while (this.#undo.length > mark) this.#undo.pop()?.();
  }

  /** Forgets how to go back. */
  settle(): void {
    this.#undo = [];
  }

  find(path: string, followLast = true): Node | undefined {
    try {
      return this.#place(path, followLast).node;
    } catch (error) {
      if (error instanceof TreeError) return undefined;
      throw error;
    }
  }

  /** As `find`; throws where there is nothing. */
  get(path: string, followLast = true): Node {
    const { node } = this.#place(path, followLast);
    if (node === undefined) throw new TreeError("ENOENT", path);
    return node;
  }

  /** The path with all links followed; the last name need not exist. */
  realPath(path: string): string {
    return this.#place(path, true).path;
  }

  read(path: string): Buffer {
    const node = this.get(path);
    if (node.kind === "directory") throw new TreeError("EISDIR", path);
    if (node.kind !== "file") return Buffer.from(noBytes);
    return Buffer.from(node.content.buffer, node.content.byteOffset, node.content.length);
  }

  names(path: string): string[] {
    const node = this.get(path);
    if (node.kind !== "directory") throw new TreeError("ENOTDIR", path);
    return [...node.children.keys()].sort();
  }

  /** Writes a file: its mode is for a new one. */
  write(path: string, content: Uint8Array | string, mode = 0o644): void {
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    const { folder, name, node } = this.#place(path, true);
    if (node === undefined) return this.#set(folder, name, { kind: "file", content: bytes, ...this.#fresh(mode) });
    if (node.kind === "directory") throw new TreeError("EISDIR", path);
    if (node.kind !== "file") return;
    const before = { content: node.content, modified: node.modified };
    this.#undo.push(() => Object.assign(node, before));
    Object.assign(node, { content: bytes, modified: this.now });
  }

  makeDirectory(path: string, mode = 0o755): void {
    const { folder, name, node } = this.#place(path, true);
    if (node !== undefined) throw new TreeError("EEXIST", path);
    this.#set(folder, name, { kind: "directory", children: new Map(), ...this.#fresh(mode) });
  }

  /** Makes a directory and those above it, as far as they are missing. */
  makeDirectories(path: string, mode = 0o755): void {
    const names = path.split("/").filter((name) => name !== "");
    for (let n = 1; n <= names.length; n++) {
      const part = `/${names.slice(0, n).join("/")}`;
      const node = this.find(part);
      if (node === undefined) this.makeDirectory(part, n === names.length ? mode : 0o755);
      else if (node.kind !== "directory") throw new TreeError("ENOTDIR", part);
    }
  }

  symlink(target: string, path: string): void {
    const { folder, name, node } = this.#place(path, false);
    if (node !== undefined) throw new TreeError("EEXIST", path);
    this.#set(folder, name, { kind: "symlink", target, ...this.#fresh(0o777) });
  }

  hardLink(existing: string, path: string): void {
    this.put(path, this.get(existing, false));
  }

  /** Puts a node under a name, in place of whatever is there. */
  put(path: string, node: Node): void {
    const { folder, name } = this.#place(path, false);
    this.#set(folder, name, node);
  }

  remove(path: string, andAllIn = false): void {
    const { folder, name, node } = this.#place(path, false);
    if (node === undefined) throw new TreeError("ENOENT", path);
    if (node.kind === "directory" && node.children.size > 0 && !andAllIn) throw new TreeError("ENOTEMPTY", path);
    folder.children.delete(name);
    this.#undo.push(() => folder.children.set(name, node));
  }

  rename(from: string, to: string): void {
    const node = this.get(from, false);
    this.remove(from, true);
    this.put(to, node);
  }

  change(path: string, change: Partial<Pick<NodeBase, "mode" | "uid" | "gid" | "xattrs">>, follow = true): void {
    const node = this.get(path, follow);
    const { mode, uid, gid, xattrs } = node;
    this.#undo.push(() => Object.assign(node, { mode, uid, gid, xattrs }));
    Object.assign(node, change);
  }

  /** The tree for a file system, each folder's files in the order of their names. Can be asked for again. */
  source(name: string): TreeSource {
    const { root } = this;
    return {
      name,
      async *entries() {
        yield* batchesOf(root);
      },
      async [Symbol.asyncDispose]() {},
    };
  }

  #fresh(mode: number): NodeBase {
    return { mode, uid: 0, gid: 0, modified: this.now, xattrs: undefined };
  }

  #set(folder: DirectoryNode, name: string, node: Node): void {
    if (name === "") throw new TreeError("EINVAL", "/");
    const before = folder.children.get(name);
    folder.children.set(name, node);
    this.#undo.push(() => {
      if (before === undefined) folder.children.delete(name);
      else folder.children.set(name, before);
    });
  }

  #place(path: string, followLast: boolean): Place {
    const above: { readonly name: string; readonly folder: DirectoryNode }[] = [];
    let folder = this.root;
    const left = path.split("/").filter((name) => name !== "" && name !== ".");
    const pathOf = (name: string): string => `/${[...above.map((step) => step.name), name].join("/")}`;
    for (let links = 0; ;) {
      const name = left.shift();
      if (name === undefined) {
        const last = above.at(-1);
        if (last === undefined) return { folder, name: "", node: folder, path: "/" };
        return {
          folder: last.folder,
          name: last.name,
          node: folder,
          path: `/${above.map((step) => step.name).join("/")}`,
        };
      }
      if (name === "..") {
        folder = above.pop()?.folder ?? this.root;
        continue;
      }
      const node = folder.children.get(name);
      if (node?.kind === "symlink" && (left.length > 0 || followLast)) {
        if (++links > linkLimit) throw new TreeError("ELOOP", path);
        left.unshift(...node.target.split("/").filter((part) => part !== "" && part !== "."));
        if (node.target.startsWith("/")) {
          above.length = 0;
          folder = this.root;
        }
        continue;
      }
      if (left.length === 0 && node?.kind !== "directory") return { folder, name, node, path: pathOf(name) };
      if (node === undefined) throw new TreeError("ENOENT", path);
      if (node.kind !== "directory") throw new TreeError("ENOTDIR", path);
      above.push({ name, folder });
      folder = node;
    }
  }
}

const batchEntries = 256;

function* batchesOf(root: DirectoryNode): Generator<readonly TreeEntry[]> {
  let batch: TreeEntry[] = [];
  for (const entry of entriesOf(root)) {
    if (batch.push(entry) < batchEntries) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

function* entriesOf(root: DirectoryNode): Generator<TreeEntry> {
  const firstPaths = new Map<Node, string>();
  const below = function* (folder: DirectoryNode, folderPath: string): Generator<TreeEntry> {
    for (const name of [...folder.children.keys()].sort()) {
      const node = folder.children.get(name);
      if (node === undefined) continue;
      const path = folderPath === "" ? name : `${folderPath}/${name}`;
      const first = firstPaths.get(node);
      if (first !== undefined) {
        yield { path, kind: "hardlink", linkTarget: first };
        continue;
      }
      if (node.kind !== "directory") firstPaths.set(node, path);
      yield entryOf(node, path);
      if (node.kind === "directory") yield* below(node, path);
    }
  };
  yield entryOf(root, "");
  yield* below(root, "");
}

function entryOf(node: Node, path: string): FileEntry {
  const { mode, uid, gid, modified, xattrs } = node;
  const metadata: Metadata = { mode, uid, gid, modified, ...(xattrs === undefined ? {} : { xattrs }) };
  switch (node.kind) {
    case "file": {
      const content = node.content.length === 0 ? {} : { content: [{ at: 0, bytes: node.content }] };
      return { path, kind: "file", sizeBytes: node.content.length, ...content, ...metadata };
    }
    case "symlink":
      return { path, kind: "symlink", sizeBytes: 0, linkTarget: node.target, ...metadata };
    case "directory":
      return { path, kind: "directory", sizeBytes: 0, ...metadata };
    default:
      return {
        path,
        kind: node.kind,
        sizeBytes: 0,
        ...(node.device === undefined ? {} : { device: node.device }),
        ...metadata,
      };
  }
}
