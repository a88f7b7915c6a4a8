import { Failure } from "../../base/index.ts";
import { encodeName } from "../../bytes/index.ts";
import type { EntryKind, Metadata } from "../../tree/index.ts";
import { nameLimitBytes } from "./directory-entry.ts";

/** A directory of a file system in the making: what is in it stays in memory until all is known. */
export class Directory {
  readonly kind = "directory";
  readonly children = new Map<string, Child>();
  readonly inode: number;
  readonly name: string;
  readonly parent: Directory | undefined;
  metadata: Metadata;
  subdirectories = 0;

  constructor(inode: number, place: { parent: Directory | undefined; name: string }, metadata: Metadata) {
    this.inode = inode;
    this.parent = place.parent;
    this.name = place.name;
    this.metadata = metadata;
  }

  /** The path from the root, which is `/`. */
  get path(): string {
    if (this.parent === undefined) return "/";
    return this.parent.parent === undefined ? `/${this.name}` : `${this.parent.path}/${this.name}`;
  }
}

/** A symbolic link keeps its target at hand, for paths that lead through it. */
export interface Link {
  readonly kind: "symlink";
  readonly inode: number;
  readonly target: string;
}

/** Every other file, as a number to be small: inode × 8 + the place of its kind in `plainKinds`. */
export type PlainFile = number;
export type Child = Directory | Link | PlainFile;

const plainKinds = ["file", "character", "block", "fifo", "socket"] as const satisfies readonly EntryKind[];
const followLimit = 40;

export function plainFile(inode: number, kind: EntryKind): PlainFile {
  return inode * 8 + plainKinds.findIndex((plain) => plain === kind);
}

export function inodeOf(child: Child): number {
  return typeof child === "number" ? Math.floor(child / 8) : child.inode;
}

export function kindOf(child: Child): EntryKind {
  return typeof child === "number" ? (plainKinds[child % 8] ?? "file") : child.kind;
}

/** All directories below and with this one, each before what it holds. */
export function* directoriesOf(directory: Directory): Generator<Directory> {
  const waiting = [directory];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    yield next;
    const below = [...next.children.values()].filter((child) => child instanceof Directory);
    waiting.push(...below.toReversed());
  }
}

/**
 * The directory that a path leads to, links on the way followed inside the tree. `onMissing` makes a directory
 * where there is none. Gives undefined where the path leads elsewhere.
 */
export function followPath(
  root: Directory,
  from: Directory,
  path: string,
  onMissing: (parent: Directory, name: string) => Directory | undefined,
  followed = 0,
): Directory | undefined {
  let directory: Directory | undefined = path.startsWith("/") ? root : from;
  for (const name of path.split("/")) {
    if (directory === undefined) return undefined;
    if (name === "" || name === ".") continue;
    if (name === "..") {
      directory = directory.parent ?? directory;
      continue;
    }
    const child: Child | undefined = directory.children.get(name);
    if (child === undefined) directory = onMissing(directory, name);
    else if (child instanceof Directory) directory = child;
    else if (typeof child === "number" || followed >= followLimit) return undefined;
    else directory = followPath(root, directory, child.target, onMissing, followed + 1);
  }
  return directory;
}

/** A path in its folder and its last name. */
export function splitPath(path: string): { readonly folder: string; readonly name: string } {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? { folder: "", name: path } : { folder: path.slice(0, slash), name: path.slice(slash + 1) };
}

/** Throws a failure for a name that no directory entry can have. */
export function refuseBadName(name: string, path: string): void {
  const length = encodeName(name).length;
  if (length === 0 || length > nameLimitBytes || name === "." || name === ".." || name.includes("\0")) {
    throw new Failure("failed", `cannot add "${path}": "${name}" cannot be a name in ext, which takes 1 to 255 bytes`);
  }
}
