import * as fs from "node:fs";
import { Failure, isSystemError, libc, systemReason } from "../base/index.ts";
import { encodeName, printableName } from "../bytes/index.ts";
import type { DataPiece, FileEntry, HardLinkEntry, Metadata, TreeEntry, TreeTarget } from "./entry.ts";
import { systemPath } from "./folder-scan.ts";

const typeOfKind = { fifo: 0o010000, character: 0o020000, block: 0o060000, socket: 0o140000 } as const;
/** Attributes of these kinds are root's to set; without root they are passed over in silence, as tar does. */
const rootAttributes = /^(security|trusted)\./;

interface MadeFolder {
  readonly path: string;
  readonly metadata: Metadata;
}

/**
 * Writes a tree into a new folder. Trees are not trusted: nothing is written through a symbolic link nor outside
 * of the folder. What only root may do (owners, devices, some attributes) is left out without root;
 * `warnings` then names what is missing.
 */
export class FolderTarget implements TreeTarget {
  readonly warnings: string[] = [];
  readonly #root: string;
  readonly #isRoot = process.geteuid?.() === 0;
  /** Folders that this target made, or found to be folders, so that there is no link among them. */
  readonly #made = new Set<string>();
  /** Their modes and times are set at the end: a read-only folder could not be filled. */
  readonly #folders: MadeFolder[] = [];
  #lostOwners = 0;

  readonly #force: boolean;

  private constructor(root: string, force: boolean) {
    this.#root = root;
    this.#force = force;
    this.#made.add("");
  }

  /**
   * Makes the folder; an empty one that is there is taken. With `force` also one that is not empty: its folders
   * are filled up, its files replaced by those of the same name.
   */
  static async create(folder: string, options: { readonly force?: boolean } = {}): Promise<FolderTarget> {
    const force = options.force ?? false;
    try {
      fs.mkdirSync(systemPath(folder));
    } catch (error) {
      const isUsable = isSystemError(error, "EEXIST") && isFolder(folder) && (force || isEmpty(folder));
      if (!isUsable) {
        const isThere = isSystemError(error, "EEXIST");
        const why = isThere ? "it is there already, and not an empty folder" : systemReason(error);
        throw new Failure(isThere ? "exists" : "failed", `cannot create "${folder}": ${why}`, { cause: error });
      }
    }
    return new FolderTarget(folder, force);
  }

  async add(entry: TreeEntry): Promise<void> {
    if (entry.path !== "") {
      refuseUnsafe(entry.path);
      this.#ensureParents(entry.path);
    }
    try {
      await this.#write(entry);
    } catch (error) {
      if (error instanceof Failure) throw error;
      throw new Failure("failed", `cannot write "${this.#shown(entry.path)}": ${systemReason(error)}`, {
        cause: error,
      });
    }
  }

  async finish(): Promise<void> {
    for (const { path, metadata } of this.#folders.toReversed()) this.#applyMetadata(path, metadata, "directory");
    if (this.#lostOwners > 0) {
      this.warnings.push(`the owners of ${this.#lostOwners} files were left out: only root can set them`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  async #write(entry: TreeEntry): Promise<void> {
    const there = this.#pathOf(entry.path);
    if (this.#force && entry.kind !== "directory") fs.rmSync(there, { force: true });
    switch (entry.kind) {
      case "hardlink":
        return this.#link(entry, there);
      case "directory":
        this.#makeFolder(entry.path);
        this.#folders.push({ path: entry.path, metadata: entry });
        return;
      case "file":
        await writeContent(there, entry);
        break;
      case "symlink":
        fs.symlinkSync(systemPath(entry.linkTarget ?? ""), there);
        break;
      default:
        if (!this.#makeNode(entry)) return;
    }
    this.#applyMetadata(entry.path, entry, entry.kind);
  }

  #link(entry: HardLinkEntry, there: string | Buffer): void {
    refuseUnsafe(entry.linkTarget);
    const parent = entry.linkTarget.split("/").slice(0, -1).join("/");
    if (!this.#made.has(parent)) {
      throw new Failure("damaged", `cannot write "${this.#shown(entry.path)}": what it is a hard link to is not there`);
    }
    fs.linkSync(this.#pathOf(entry.linkTarget), there);
  }

  #makeNode(entry: FileEntry): boolean {
    const isDevice = entry.kind === "character" || entry.kind === "block";
    if (isDevice && !this.#isRoot) {
      this.warnings.push(`the device "${printableName(entry.path)}" was left out: only root can make it`);
      return false;
    }
    const type = typeOfKind[entry.kind as keyof typeof typeOfKind];
    const { major, minor } = entry.device ?? { major: 0, minor: 0 };
    const status = libc()?.makeNode(this.#nulTerminated(entry.path), type | 0o600, deviceWord(major, minor));
    if (status === 0) return true;
    this.warnings.push(`the ${entry.kind} "${printableName(entry.path)}" was left out: this system cannot make it`);
    return false;
  }

  /** Parents that the tree left out are made; all must be folders that this target made. */
  #ensureParents(path: string): void {
    const parent = path.split("/").slice(0, -1).join("/");
    if (this.#made.has(parent)) return;
    this.#ensureParents(parent);
    try {
      this.#makeFolder(parent);
    } catch (error) {
      throw new Failure("damaged", `cannot write "${this.#shown(path)}": its folder is not a folder`, { cause: error });
    }
  }

  #makeFolder(path: string): void {
    if (this.#made.has(path)) return;
    try {
      fs.mkdirSync(this.#pathOf(path), 0o700);
    } catch (error) {
      const isThere = this.#force && isSystemError(error, "EEXIST") && fs.lstatSync(this.#pathOf(path)).isDirectory();
      if (!isThere) throw error;
    }
    this.#made.add(path);
  }

  #applyMetadata(path: string, metadata: Metadata, kind: FileEntry["kind"]): void {
    const there = this.#pathOf(path);
    if (this.#isRoot) fs.lchownSync(there, metadata.uid, metadata.gid);
    else if (metadata.uid !== process.getuid?.() || metadata.gid !== process.getgid?.()) this.#lostOwners++;
    this.#applyXattrs(path, metadata);
    // After the owner: a change of owner takes set-id bits away.
    if (kind !== "symlink") fs.chmodSync(there, this.#isRoot ? metadata.mode : metadata.mode & 0o1777);
    const status = libc()?.setTimes(
      this.#nulTerminated(path),
      metadata.accessed ?? metadata.modified,
      metadata.modified,
    );
    if (status === undefined && kind !== "symlink") fs.utimesSync(there, seconds(metadata), seconds(metadata));
  }

  #applyXattrs(path: string, metadata: Metadata): void {
    for (const [name, value] of metadata.xattrs ?? []) {
      if (!this.#isRoot && rootAttributes.test(name)) continue;
      const status = libc()?.setXattr(this.#nulTerminated(path), name, value);
      if (status === 0) continue;
      this.warnings.push(`the attribute ${name} of "${printableName(path)}" was left out: it cannot be set here`);
    }
  }

  #pathOf(path: string): string | Buffer {
    return systemPath(path === "" ? this.#root : `${this.#root}/${path}`);
  }

  #nulTerminated(path: string): Buffer {
    return Buffer.concat([encodeName(path === "" ? this.#root : `${this.#root}/${path}`), Buffer.of(0)]);
  }

  #shown(path: string): string {
    return printableName(`${this.#root}/${path}`);
  }
}

function refuseUnsafe(path: string): void {
  const isSafe = path.split("/").every((name) => name !== "" && name !== "." && name !== ".." && !name.includes("\0"));
  if (!isSafe)
    throw new Failure("damaged", `cannot write "${printableName(path)}": it is not a path inside of a folder`);
}

async function writeContent(there: string | Buffer, entry: FileEntry): Promise<void> {
  // "x": never through a link that the tree put there.
  const fd = fs.openSync(there, "wx", 0o600);
  try {
    const content = entry.content ?? [];
    if (Array.isArray(content)) for (const piece of content as readonly DataPiece[]) writePiece(fd, piece);
    else for await (const piece of content as AsyncIterable<DataPiece>) writePiece(fd, piece);
    fs.ftruncateSync(fd, entry.sizeBytes);
  } finally {
    fs.closeSync(fd);
  }
}

function writePiece(fd: number, { at, bytes }: DataPiece): void {
  for (let done = 0; done < bytes.length;) done += fs.writeSync(fd, bytes, done, bytes.length - done, at + done);
}

const seconds = ({ modified }: Metadata): number => modified.seconds + modified.nanoseconds / 1e9;

/** Linux's 64-bit device number. */
function deviceWord(major: number, minor: number): bigint {
  const [high, low] = [BigInt(major), BigInt(minor)];
  return (low & 0xffn) | ((high & 0xfffn) << 8n) | ((low & ~0xffn) << 12n) | ((high & ~0xfffn) << 32n);
}

function isFolder(folder: string): boolean {
  return fs.statSync(systemPath(folder)).isDirectory();
}

function isEmpty(folder: string): boolean {
  return fs.readdirSync(systemPath(folder)).length === 0;
}
