import type { DataPiece, FileStretch } from "../../tree/index.ts";
import type {
  DirectoryItem,
  Extent,
  FilePlace,
  FileStat,
  FileSystem,
  FileSystemInfo,
  Problem,
} from "../file-system.ts";
import { readParts, stretchesOf } from "../part-reader.ts";
import { readAttributes } from "./attributes.ts";
import { allParts, partsOf } from "./content.ts";
import { findInDirectory, listDirectory } from "./directory.ts";
import { deviceOf, readInode, refuseOtherKind, type XfsInode } from "./inode.ts";
import { decodeTime } from "./time.ts";
import { readTarget } from "./symlink.ts";
import { usedExtents } from "./used-extents.ts";
import type { XfsSource } from "./xfs-source.ts";

/** An XFS, read-only. It borrows its reader and closes nothing. */
export class XfsFileSystem implements FileSystem {
  readonly info: FileSystemInfo;
  readonly rootId: number;
  readonly #source: XfsSource;
  readonly #problems: readonly string[];

  /** `problems` are those that opening came upon. */
  constructor(source: XfsSource, problems: readonly string[], info: FileSystemInfo) {
    this.#source = source;
    this.#problems = problems;
    this.info = info;
    this.rootId = source.layout.rootInode;
  }

  async stat(id: number): Promise<FileStat> {
    const inode = await readInode(this.#source, id);
    const xattrs = await readAttributes(this.#source, inode);
    const device = deviceOf(inode);
    const { accessed, modified, changed, created, areBig } = inode.times;
    return {
      id,
      kind: inode.kind,
      mode: inode.mode,
      uid: inode.uid,
      gid: inode.gid,
      sizeBytes: inode.sizeBytes,
      allocatedBytes: inode.blockCount * this.#source.layout.blockBytes,
      links: inode.links,
      modified: decodeTime(modified, areBig),
      accessed: decodeTime(accessed, areBig),
      changed: decodeTime(changed, areBig),
      ...(created === undefined ? {} : { created: decodeTime(created, areBig) }),
      ...(xattrs === undefined ? {} : { xattrs }),
      ...(device === undefined ? {} : { device }),
    };
  }

  async *list(id: number): AsyncGenerator<readonly DirectoryItem[]> {
    yield* listDirectory(this.#source, await this.#directory(id));
  }

  async find(id: number, name: string): Promise<number | undefined> {
    return findInDirectory(this.#source, await this.#directory(id), name);
  }

  async readLink(id: number): Promise<string> {
    const inode = await readInode(this.#source, id);
    refuseOtherKind(inode, "symlink", "read the symbolic link in");
    return readTarget(this.#source, inode);
  }

  async *content(id: number): AsyncGenerator<DataPiece> {
    yield* readParts(this.#source, partsOf(this.#source, await this.#file(id)));
  }

  async stretches(id: number): Promise<readonly FileStretch[]> {
    return stretchesOf(await this.places(id));
  }

  async places(id: number): Promise<readonly FilePlace[]> {
    return allParts(this.#source, await this.#file(id));
  }

  usedExtents(): AsyncIterable<Extent> {
    return usedExtents(this.#source);
  }

  async *check(): AsyncGenerator<Problem> {
    const { checkXfs } = await import("./check.ts");
    yield* checkXfs(this.#source, this.#problems);
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  async #file(id: number): Promise<XfsInode> {
    const inode = await readInode(this.#source, id);
    refuseOtherKind(inode, "file", "read");
    return inode;
  }

  async #directory(id: number): Promise<XfsInode> {
    const inode = await readInode(this.#source, id);
    refuseOtherKind(inode, "directory", "list");
    return inode;
  }
}
