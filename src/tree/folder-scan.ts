import * as fs from "node:fs";
import { isSystemError, libc, systemReason } from "../base/index.ts";
import { encodeName } from "../bytes/index.ts";

/** Some names of one folder. */
export interface FolderNames {
  /** The folder's path in the tree, `""` for the root. */
  readonly path: string;
  /** The folder's path for the system. */
  readonly folder: string;
  readonly names: readonly string[];
}

/** What one thread is to look at in one go. */
export interface ScanRequest {
  readonly folders: readonly FolderNames[];
  /** Where contents go, `contentsLimitBytes` long. Shared, so that nothing is copied nor collected. */
  readonly contents: SharedArrayBuffer;
}

/** What is there under those names, in a form that passes between threads at little cost. */
export interface ScanResult {
  /** How many of all the names were looked at: all, or the first so many whose contents fill a buffer. */
  readonly count: number;
  /** `columnCount` numbers for each name, in the order of `Column`. */
  readonly columns: Float64Array<ArrayBuffer>;
  /** By place among all the names, only where there are any. */
  readonly linkTargets: ReadonlyMap<number, Uint8Array>;
  readonly xattrs: ReadonlyMap<number, ReadonlyMap<string, Uint8Array>>;
  /** The first file that could not be read; nothing after it counts. */
  readonly problem?: { readonly place: number; readonly reason: string };
}

export const Column = {
  mode: 0,
  uid: 1,
  gid: 2,
  sizeBytes: 3,
  modifiedSeconds: 4,
  modifiedNanoseconds: 5,
  accessedSeconds: 6,
  accessedNanoseconds: 7,
  changedSeconds: 8,
  changedNanoseconds: 9,
  links: 10,
  /** Device and inode number tell files apart; as numbers only where they are exact. */
  fileSystem: 11,
  inode: 12,
  device: 13,
  isSparse: 14,
  /** Where the content starts in the request's buffer; -1 where it is to be read apart. */
  contentStart: 15,
} as const;

export const columnCount = 16;

/** Larger files are read apart, in pieces. */
const inlineLimitBytes = 1024 * 1024;
/** Contents that one scan gathers: room for any one file. */
export const contentsLimitBytes = 4 * 1024 * 1024;
/** Smaller files are not looked at for holes. */
const sparseMinimumBytes = 4096;
const typeMask = 0o170000;
const regularType = 0o100000;
const linkType = 0o120000;
const billion = 1_000_000_000n;

/** A path as the system takes it: names that are not UTF-8 need their bytes. */
export function systemPath(path: string): string | Buffer {
  return path.isWellFormed() ? path : encodeName(path);
}

/** Looks at each name: metadata, attributes, link targets, contents of small files. Never follows a link. */
export function scanFolders({ folders, contents }: ScanRequest): ScanResult {
  const nameCount = folders.reduce((sum, { names }) => sum + names.length, 0);
  const result = {
    count: 0,
    columns: new Float64Array(nameCount * columnCount),
    linkTargets: new Map<number, Uint8Array>(),
    xattrs: new Map<number, ReadonlyMap<string, Uint8Array>>(),
  };
  const gathered = new GatheredContents(contents);
  for (const { folder, names } of folders) {
    for (const name of names) {
      try {
        if (!scanName(result, gathered, folder, name)) return result;
      } catch (error) {
        const place = result.count++;
        return { ...result, problem: { place, reason: systemReason(error) } };
      }
      result.count++;
    }
  }
  return result;
}

interface GrowingResult {
  readonly count: number;
  readonly columns: Float64Array;
  readonly linkTargets: Map<number, Uint8Array>;
  readonly xattrs: Map<number, ReadonlyMap<string, Uint8Array>>;
}

/** Adds what is under one name; false where its content does not fit any more. */
function scanName(result: GrowingResult, gathered: GatheredContents, folder: string, name: string): boolean {
  const place = result.count;
  const path = systemPath(name === "" ? folder : `${folder}/${name}`);
  const row = result.columns.subarray(place * columnCount, (place + 1) * columnCount);
  // The folder that was named itself may be reached through a link.
  const stat = name === "" ? fs.statSync(path, { bigint: true }) : fs.lstatSync(path, { bigint: true });
  fillRow(row, stat);
  const type = Number(stat.mode) & typeMask;
  const isSmall = type === regularType && stat.size <= inlineLimitBytes && row[Column.isSparse] === 0;
  if (isSmall && !gathered.fits(Number(stat.size))) return false;
  if (type === linkType) result.linkTargets.set(place, fs.readlinkSync(path, "buffer"));
  const found = libc()?.listXattrs(nulTerminated(path));
  if (found !== undefined && found.size > 0) result.xattrs.set(place, found);
  row[Column.contentStart] = isSmall ? gathered.read(path, Number(stat.size)) : -1;
  return true;
}

function fillRow(row: Float64Array, stat: fs.BigIntStats): void {
  row[Column.mode] = Number(stat.mode);
  row[Column.uid] = Number(stat.uid);
  row[Column.gid] = Number(stat.gid);
  row[Column.sizeBytes] = Number(stat.size);
  setTime(row, Column.modifiedSeconds, stat.mtimeNs);
  setTime(row, Column.accessedSeconds, stat.atimeNs);
  setTime(row, Column.changedSeconds, stat.ctimeNs);
  row[Column.links] = Number(stat.nlink);
  row[Column.fileSystem] = Number(stat.dev);
  row[Column.inode] = Number(stat.ino);
  row[Column.device] = Number(stat.rdev);
  row[Column.isSparse] = stat.blocks * 512n < stat.size && stat.size > sparseMinimumBytes ? 1 : 0;
}

/** Seconds and nanoseconds, the latter never negative. */
function setTime(row: Float64Array, at: number, nanoseconds: bigint): void {
  const rest = ((nanoseconds % billion) + billion) % billion;
  row[at] = Number((nanoseconds - rest) / billion);
  row[at + 1] = Number(rest);
}

function nulTerminated(path: string | Buffer): Buffer {
  return typeof path === "string" ? Buffer.from(`${path}\0`) : Buffer.concat([path, Buffer.of(0)]);
}

/** Opens a file, its time of access left alone where that is allowed: the owner and root may. */
export function openToRead(path: string | Buffer): number {
  const flags = fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW;
  try {
    return fs.openSync(path, flags | (fs.constants.O_NOATIME ?? 0));
  } catch (error) {
    if (isSystemError(error, "EPERM")) return fs.openSync(path, flags);
    throw error;
  }
}

class FileChangedError extends Error {
  override readonly name = "FileChangedError";
}

/** Small contents gathered in one buffer. */
class GatheredContents {
  readonly #buffer: Uint8Array;
  #length = 0;

  constructor(buffer: SharedArrayBuffer) {
    this.#buffer = new Uint8Array(buffer);
  }

  fits(sizeBytes: number): boolean {
    return this.#length + sizeBytes < contentsLimitBytes;
  }

  /** Gives where the content of a file starts. */
  read(path: string | Buffer, sizeBytes: number): number {
    if (sizeBytes === 0) return this.#length;
    const start = this.#length;
    const fd = openToRead(path);
    try {
      // One byte more than there should be, to notice a file that has grown.
      const count = fs.readSync(fd, this.#buffer, start, sizeBytes + 1, 0);
      if (count !== sizeBytes) throw new FileChangedError("it changed while it was read");
    } finally {
      fs.closeSync(fd);
    }
    this.#length += sizeBytes;
    return start;
  }
}
