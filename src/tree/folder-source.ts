import * as fs from "node:fs";
import { Failure, systemReason } from "../base/index.ts";
import { decodeName, encodeName } from "../bytes/index.ts";
import type { DeviceNumber, EntryKind, FileEntry, TreeEntry, TreeSource } from "./entry.ts";
import { newBufferPair, readLargeFile } from "./file-content.ts";
import { Column, columnCount, systemPath, type FolderNames, type ScanResult } from "./folder-scan.ts";
import { ScanPool, type Scan } from "./scan-pool.ts";

/** Names that are looked at in one go, of one folder or of several small ones. */
const scanNames = 128;
/** Scans that are asked for before the first of them is used. */
const scansAhead = 8;

const kindOfType: ReadonlyMap<number, EntryKind> = new Map([
  [0o010000, "fifo"],
  [0o020000, "character"],
  [0o040000, "directory"],
  [0o060000, "block"],
  [0o100000, "file"],
  [0o120000, "symlink"],
  [0o140000, "socket"],
]);

/** What is still to come, in its order: a folder that was not listed yet, names of folders, or a scan of such. */
type Part = { readonly unlisted: string } | FolderNames | Scan;

/**
 * A folder of this machine as a tree, names in byte order, each folder's files before what is in its folders.
 * Several threads look at files ahead of the reader. Links are not followed, but for the folder itself.
 */
export class FolderSource implements TreeSource {
  readonly name: string;
  readonly totalBytes?: number;
  readonly #leaveOut: ReadonlySet<string>;
  readonly #pool = new ScanPool();
  readonly #buffers = newBufferPair();
  /** For files with several names: the path of the first, by file system and inode number. */
  readonly #firstNames = new Map<string, string>();
  readonly #isFolder: boolean;

  private constructor(folder: string, leaveOut: readonly string[], fileBytes?: number) {
    this.name = folder;
    this.#isFolder = fileBytes === undefined;
    if (fileBytes !== undefined) this.totalBytes = fileBytes;
    this.#leaveOut = new Set(leaveOut.flatMap(identityOfPath));
  }

  /** `leaveOut`: paths of files that are not part of the tree though they lie in it, such as the one being written. */
  static async open(folder: string, options: { readonly leaveOut?: readonly string[] } = {}): Promise<FolderSource> {
    const stat = fs.statSync(systemPath(folder), { throwIfNoEntry: false });
    if (stat === undefined) throw new Failure("not-found", `cannot read "${folder}": there is no such folder`);
    if (!stat.isDirectory()) throw new Failure("failed", `cannot read "${folder}" as a folder: it is none`);
    return new FolderSource(folder, options.leaveOut ?? []);
  }

  /** A single file, links followed, as a tree that is only its root. */
  static openFile(file: string): TreeSource {
    try {
      const stat = fs.statSync(systemPath(file));
      return new FolderSource(fs.realpathSync(systemPath(file), "utf8"), [], stat.size);
    } catch (error) {
      throw new Failure("not-found", `cannot read "${file}": ${systemReason(error)}`, { cause: error });
    }
  }

  async *entries(): AsyncGenerator<readonly TreeEntry[]> {
    // The next part is the last of the list: what is found on the way goes on top.
    const listing: Part[] = this.#isFolder ? [{ unlisted: "" }] : [];
    const parts: Part[] = [...listing, { path: "", folder: this.name, names: [""] }];
    for (;;) {
      this.#lookAhead(parts);
      const scan = parts.pop();
      if (scan === undefined) return;
      if (!("contents" in scan)) throw new TypeError("a part came up that was not asked for");
      const result = await this.#pool.resultOf(scan);
      const rest = restAfter(scan.folders, result.count);
      if (rest.length > 0) {
        parts.push(...rest.toReversed());
        this.#lookAhead(parts);
      }
      yield* inBatches(this.#entriesOf(scan, result));
      this.#pool.recycle(scan.contents);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.stop();
  }

  /** Lists the next folders and asks for the scans of what is in them. */
  #lookAhead(parts: Part[]): void {
    const next: Scan[] = [];
    let folders: FolderNames[] = [];
    let nameCount = 0;
    const askForScan = (): void => {
      if (folders.length > 0) next.push(this.#pool.ask(folders));
      folders = [];
      nameCount = 0;
    };
    while (next.length < scansAhead) {
      const part = parts.pop();
      if (part === undefined) break;
      if ("contents" in part) {
        askForScan();
        next.push(part);
      } else if ("unlisted" in part) {
        parts.push(...this.#listFolder(part.unlisted).toReversed());
      } else {
        folders.push(part);
        nameCount += part.names.length;
        if (nameCount >= scanNames) askForScan();
      }
    }
    askForScan();
    parts.push(...next.toReversed());
  }

  /** The parts of a folder: its names in chunks, then each folder in it. */
  #listFolder(path: string): Part[] {
    const folder = path === "" ? this.name : joinPath(this.name, path);
    const listed = readFolder(folder);
    const parts: Part[] = [];
    for (let first = 0; first < listed.length; first += scanNames) {
      parts.push({ path, folder, names: listed.slice(first, first + scanNames).map(({ name }) => name) });
    }
    for (const { name, isFolder } of listed) if (isFolder) parts.push({ unlisted: joinPath(path, name) });
    if (path === "" && parts.length > 1) this.#pool.start();
    return parts;
  }

  *#entriesOf(scan: Scan, result: ScanResult): Generator<TreeEntry> {
    let place = 0;
    for (const { path, names } of scan.folders) {
      for (const name of names.slice(0, result.count - place)) {
        const entry = this.#entryAt(joinPath(path, name), place, scan, result);
        if (entry !== undefined) yield entry;
        place++;
      }
    }
  }

  #entryAt(path: string, place: number, scan: Scan, result: ScanResult): TreeEntry | undefined {
    if (result.problem?.place === place) {
      throw new Failure("failed", `cannot read "${joinPath(this.name, path)}": ${result.problem.reason}`);
    }
    const row = result.columns.subarray(place * columnCount, (place + 1) * columnCount);
    const identity = `${row[Column.fileSystem]}:${row[Column.inode]}`;
    if (this.#leaveOut.has(identity)) return undefined;
    const kind = kindOfType.get((row[Column.mode] ?? 0) & 0o170000);
    if (kind === undefined) return undefined;
    if (kind !== "directory" && (row[Column.links] ?? 0) > 1) {
      const first = this.#firstNames.get(identity);
      if (first !== undefined) return { path, kind: "hardlink", linkTarget: first };
      this.#firstNames.set(identity, path);
    }
    return this.#entryOf({ path, kind, row, place, contents: scan.contents, result });
  }

  #entryOf(found: {
    path: string;
    kind: EntryKind;
    row: Float64Array;
    place: number;
    contents: SharedArrayBuffer;
    result: ScanResult;
  }): FileEntry {
    const { path, kind, row, place, contents, result } = found;
    const at = (column: number): number => row[column] ?? 0;
    const xattrs = result.xattrs.get(place);
    const linkTarget = result.linkTargets.get(place);
    const sizeBytes = kind === "file" ? at(Column.sizeBytes) : 0;
    return {
      path,
      kind,
      mode: at(Column.mode) & 0o7777,
      uid: at(Column.uid),
      gid: at(Column.gid),
      modified: { seconds: at(Column.modifiedSeconds), nanoseconds: at(Column.modifiedNanoseconds) },
      accessed: { seconds: at(Column.accessedSeconds), nanoseconds: at(Column.accessedNanoseconds) },
      changed: { seconds: at(Column.changedSeconds), nanoseconds: at(Column.changedNanoseconds) },
      sizeBytes,
      ...(xattrs === undefined ? {} : { xattrs }),
      ...(linkTarget === undefined ? {} : { linkTarget: decodeName(linkTarget) }),
      ...(kind === "character" || kind === "block" ? { device: deviceNumber(at(Column.device)) } : {}),
      ...(sizeBytes === 0 ? {} : { content: this.#contentOf(path, row, contents) }),
    };
  }

  #contentOf(path: string, row: Float64Array, contents: SharedArrayBuffer): NonNullable<FileEntry["content"]> {
    const sizeBytes = row[Column.sizeBytes] ?? 0;
    const start = row[Column.contentStart] ?? -1;
    if (start >= 0) return [{ at: 0, bytes: new Uint8Array(contents, start, sizeBytes) }];
    return readLargeFile(
      { path: joinPath(this.name, path), sizeBytes, isSparse: row[Column.isSparse] === 1 },
      this.#buffers,
    );
  }
}

/** The names that come after the first `count` of several folders. */
function restAfter(folders: readonly FolderNames[], count: number): FolderNames[] {
  const rest: FolderNames[] = [];
  let skipped = count;
  for (const part of folders) {
    if (skipped < part.names.length) rest.push({ ...part, names: part.names.slice(skipped) });
    skipped = Math.max(0, skipped - part.names.length);
  }
  return rest;
}

/** Entries as they come, those whose content is a stream at the end of their batch. */
function* inBatches(entries: Iterable<TreeEntry>): Generator<readonly TreeEntry[]> {
  let batch: TreeEntry[] = [];
  for (const entry of entries) {
    batch.push(entry);
    if (entry.kind !== "hardlink" && entry.content !== undefined && !Array.isArray(entry.content)) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}

function joinPath(folder: string, name: string): string {
  return folder === "" ? name : name === "" ? folder : `${folder}/${name}`;
}

interface ListedName {
  readonly name: string;
  readonly isFolder: boolean;
}

/** The names in a folder in the order of their bytes. */
function readFolder(folder: string): ListedName[] {
  try {
    const listed = fs.readdirSync(systemPath(folder), { withFileTypes: true });
    const hasOddName = listed.some(({ name }) => name.includes("\ufffd"));
    const names = hasOddName
      ? fs.readdirSync(systemPath(folder), { withFileTypes: true, encoding: "buffer" }).map(toListed)
      : listed.map((entry) => ({ name: entry.name, isFolder: entry.isDirectory() }));
    return names.sort((a, b) => compareNames(a.name, b.name));
  } catch (error) {
    throw new Failure("failed", `cannot read "${folder}": ${systemReason(error)}`, { cause: error });
  }
}

function toListed(entry: fs.Dirent<Buffer>): ListedName {
  return { name: decodeName(entry.name), isFolder: entry.isDirectory() };
}

/** By bytes, which for ASCII is the order of the strings themselves. */
function compareNames(a: string, b: string): number {
  // oxlint-disable-next-line no-control-regex
  if (/[^\u0000-\u007f]/.test(a + b)) return Buffer.compare(encodeName(a), encodeName(b));
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Linux's 64-bit device number in its two parts. */
function deviceNumber(device: number): DeviceNumber {
  const wide = BigInt(device);
  return {
    major: Number(((wide >> 8n) & 0xfffn) | ((wide >> 32n) & 0xfffff000n)),
    minor: Number((wide & 0xffn) | ((wide >> 12n) & 0xffffff00n)),
  };
}

function identityOfPath(path: string): string[] {
  const stat = fs.statSync(path, { throwIfNoEntry: false, bigint: true });
  return stat === undefined ? [] : [`${Number(stat.dev)}:${Number(stat.ino)}`];
}
