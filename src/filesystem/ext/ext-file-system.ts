import { Failure } from "../../base/index.ts";
import type { DataPiece, DeviceNumber, FileStretch } from "../../tree/index.ts";
import type {
  DirectoryItem,
  Extent,
  FilePlace,
  FileStat,
  FileSystem,
  FileSystemInfo,
  Problem,
} from "../file-system.ts";
import { readAttributes } from "./attribute-reader.ts";
import { isShortLink } from "./block-runs.ts";
import { decodeName } from "../../bytes/index.ts";
import { inlineContent, contentPlaces, contentStretches, readContent, readWhole } from "./content-reader.ts";
import { damaged } from "../damaged.ts";
import { findInDirectory } from "./directory-lookup.ts";
import { listDirectory } from "./directory-reader.ts";
import { refuseEncrypted } from "./encrypted-name.ts";
import { rootInode } from "./inode.ts";
import type { ExtInode } from "./ext-inode.ts";
import { hasFlag, readInode } from "./inode-reader.ts";
import type { ExtSource } from "./source.ts";
import { usedExtents } from "./used-extents.ts";

/** Longest target of a symbolic link that Linux follows (PATH_MAX, with its NUL). */
const linkTargetLimitBytes = 4096;

/** An ext2, ext3 or ext4 file system, read-only. It borrows its reader and closes nothing. */
export class ExtFileSystem implements FileSystem {
  readonly info: FileSystemInfo;
  readonly rootId = rootInode;
  readonly #source: ExtSource;

  readonly #wasReplayed: boolean;

  constructor(source: ExtSource, info: FileSystemInfo, wasReplayed: boolean) {
    this.#source = source;
    this.info = info;
    this.#wasReplayed = wasReplayed;
  }

  async stat(id: number): Promise<FileStat> {
    const inode = await readInode(this.#source, id);
    const xattrs = await readAttributes(this.#source, inode);
    const device = deviceOf(inode);
    return {
      id,
      kind: inode.kind,
      mode: inode.mode,
      uid: inode.uid,
      gid: inode.gid,
      sizeBytes: inode.sizeBytes,
      allocatedBytes: inode.allocatedBytes,
      links: inode.links,
      modified: inode.modified,
      accessed: inode.accessed,
      changed: inode.changed,
      ...(inode.created === undefined ? {} : { created: inode.created }),
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
    const what = `the symbolic link in inode ${id}`;
    if (inode.kind !== "symlink") throw new Failure("failed", `cannot read ${what}: it is a ${inode.kind}`);
    if (hasFlag(inode, "encrypted")) refuseEncrypted(what);
    if (inode.sizeBytes === 0 || inode.sizeBytes > linkTargetLimitBytes) {
      throw damaged(what, `a target of ${inode.sizeBytes} bytes cannot be`);
    }
    const target = await linkTargetBytes(this.#source, inode);
    const end = target.indexOf(0);
    return decodeName(target, 0, end < 0 ? target.length : end);
  }

  async *content(id: number): AsyncGenerator<DataPiece> {
    const inode = await readInode(this.#source, id);
    if (inode.kind !== "file") throw new Failure("failed", `cannot read inode ${id}: it is a ${inode.kind}`);
    yield* readContent(this.#source, inode);
  }

  async stretches(id: number): Promise<readonly FileStretch[]> {
    return contentStretches(this.#source, await readInode(this.#source, id));
  }

  async places(id: number): Promise<readonly FilePlace[] | undefined> {
    return contentPlaces(this.#source, await readInode(this.#source, id));
  }

  usedExtents(): AsyncIterable<Extent> {
    return usedExtents(this.#source);
  }

  async *check(): AsyncGenerator<Problem> {
    const { checkExt } = await import("./check.ts");
    yield* checkExt(this.#source, this.#wasReplayed);
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  async #directory(id: number): Promise<ExtInode> {
    const inode = await readInode(this.#source, id);
    if (inode.kind !== "directory") throw new Failure("failed", `cannot list inode ${id}: it is a ${inode.kind}`);
    return inode;
  }
}

async function linkTargetBytes(source: ExtSource, inode: ExtInode): Promise<Uint8Array> {
  if (hasFlag(inode, "inlineData")) return inlineContent(inode);
  if (isShortLink(source.layout, inode)) return inode.block.subarray(0, inode.sizeBytes);
  return readWhole(source, inode);
}

/** The older encoding of 8 and 8 bits stands in the first word, the newer of 12 and 20 bits in the second. */
function deviceOf(inode: ExtInode): DeviceNumber | undefined {
  if (inode.kind !== "character" && inode.kind !== "block") return undefined;
  const view = new DataView(inode.block.buffer, inode.block.byteOffset, 8);
  const old = view.getUint32(0, true);
  if (old !== 0) return { major: (old >>> 8) & 0xff, minor: old & 0xff };
  const wide = view.getUint32(4, true);
  return { major: (wide >>> 8) & 0xfff, minor: (wide & 0xff) | ((wide >>> 12) & 0xfff00) };
}
