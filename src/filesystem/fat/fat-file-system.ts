import { Failure } from "../../base/index.ts";
import type { DataPiece, FileStretch } from "../../tree/index.ts";
import { attribute, rootStat } from "../dos-attributes.ts";
import type {
  DirectoryItem,
  Extent,
  FilePlace,
  FileStat,
  FileSystem,
  FileSystemInfo,
  Problem,
} from "../file-system.ts";
import { limitProblems } from "../limit-problems.ts";
import { checkFat } from "./check.ts";
import { clusterOf, shortEntry, slotBytes, slotUse, type ShortEntry } from "./directory-entry.ts";
import { isDotSlot, namedSlots } from "./directory-reader.ts";
import { damaged } from "../damaged.ts";
import { partsOf, readFile, statOf } from "./fat-file.ts";
import { readDirectory, slotAt, type DirectoryBytes, type FatSource } from "./fat-source.ts";
import { foldedName } from "./file-name.ts";
import { decodeShortName } from "./short-name.ts";
import { usedExtents } from "./used-extents.ts";

/** No entry of a directory stands so early on a device. */
const rootId = 1;
/** How many names of a directory are given at once. */
const batchSize = 1000;
/** How many directories are kept by their names. */
const indexLimit = 16;

/**
 * A FAT12, FAT16 or FAT32 file system. It borrows its reader and closes nothing. The id of a file is where on the
 * device its directory entry is, in entries.
 */
export class FatFileSystem implements FileSystem {
  readonly info: FileSystemInfo;
  readonly rootId = rootId;
  readonly #source: FatSource;
  readonly #indexes = new Map<number, ReadonlyMap<string, number>>();

  constructor(source: FatSource, info: FileSystemInfo) {
    this.#source = source;
    this.info = info;
  }

  async stat(id: number): Promise<FileStat> {
    const { layout } = this.#source;
    if (id === rootId) return rootStat(id, (await this.#directory(id)).bytes.length);
    const entry = await this.#entry(id);
    const isDirectory = (entry.attributes & attribute.directory) !== 0;
    return statOf(id, entry, layout, isDirectory ? (await this.#directory(id)).bytes.length : 0);
  }

  async *list(id: number): AsyncGenerator<readonly DirectoryItem[]> {
    const directory = await this.#directory(id);
    let items: DirectoryItem[] = [];
    for (const { name, slot } of namedSlots(directory.bytes)) {
      if (isDotSlot(directory.bytes, slot)) continue;
      refuseImpossibleName(name, id);
      items.push({ name, id: this.#idOf(directory, slot) });
      if (items.length < batchSize) continue;
      yield items;
      items = [];
    }
    if (items.length > 0) yield items;
  }

  async find(id: number, name: string): Promise<number | undefined> {
    const index = this.#indexes.get(id) ?? (await this.#readIndex(id));
    return index.get(foldedName(name));
  }

  async readLink(id: number): Promise<string> {
    throw new Failure("failed", `cannot read link ${id}: FAT has no links`);
  }

  async *content(id: number): AsyncGenerator<DataPiece> {
    const entry = await this.#regularFile(id);
    yield* readFile(this.#source, this.#source.table, entry, `file ${id}`);
  }

  async stretches(id: number): Promise<readonly FileStretch[]> {
    const { sizeBytes } = await this.#regularFile(id);
    return sizeBytes === 0 ? [] : [{ at: 0, lengthBytes: sizeBytes }];
  }

  async places(id: number): Promise<readonly FilePlace[]> {
    return Array.fromAsync(partsOf(this.#source.table, await this.#regularFile(id), `file ${id}`));
  }

  usedExtents(): AsyncIterable<Extent> {
    return usedExtents(this.#source.reader, this.#source.layout);
  }

  check(): AsyncIterable<Problem> {
    return limitProblems(checkFat(this.#source));
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  async #entry(id: number): Promise<ShortEntry> {
    const bytes = await this.#source.structures.bytes(id * slotBytes, slotBytes);
    if (slotUse(bytes, 0) !== "file") throw damaged(`file ${id}`, "there is no directory entry of it");
    return shortEntry.decode(bytes);
  }

  async #regularFile(id: number): Promise<ShortEntry> {
    const entry = id === rootId ? undefined : await this.#entry(id);
    if (entry !== undefined && (entry.attributes & attribute.directory) === 0) return entry;
    throw new Failure("failed", `cannot read file ${id}: it is a directory`);
  }

  async #directory(id: number): Promise<DirectoryBytes> {
    const { layout } = this.#source;
    if (id === rootId) return readDirectory(this.#source, layout.rootCluster, "the root directory");
    const entry = await this.#entry(id);
    if ((entry.attributes & attribute.directory) === 0) {
      throw new Failure("failed", `cannot list file ${id}: it is a file`);
    }
    const start = clusterOf(entry, layout.kind === "fat32");
    if (start === 0) throw damaged(`directory ${id}`, "it has no cluster");
    return readDirectory(this.#source, start, `directory ${id}`);
  }

  #idOf(directory: DirectoryBytes, slot: number): number {
    return slotAt(this.#source.layout, directory, slot * slotBytes) / slotBytes;
  }

  /** The names of a directory, long and short, as FAT tells them apart. */
  async #readIndex(id: number): Promise<ReadonlyMap<string, number>> {
    const directory = await this.#directory(id);
    const index = new Map<string, number>();
    const aliases: [string, number][] = [];
    for (const { name, slot, isLong } of namedSlots(directory.bytes)) {
      if (isDotSlot(directory.bytes, slot)) continue;
      const found = this.#idOf(directory, slot);
      if (!index.has(foldedName(name))) index.set(foldedName(name), found);
      if (isLong) aliases.push([aliasAt(directory.bytes, slot), found]);
    }
    for (const [alias, found] of aliases) if (!index.has(alias)) index.set(alias, found);
    if (this.#indexes.size >= indexLimit) {
      for (const oldest of this.#indexes.keys()) {
        this.#indexes.delete(oldest);
        break;
      }
    }
    this.#indexes.set(id, index);
    return index;
  }
}

/** The short name at a slot, folded. */
function aliasAt(directory: Uint8Array, slot: number): string {
  return foldedName(decodeShortName(shortEntry.get(directory, "name", slot * slotBytes), 0));
}

/** Throws `damaged` for a name that cannot be one. */
function refuseImpossibleName(name: string, directoryId: number): void {
  if (name !== "" && name !== "." && name !== ".." && !/[/\0]/.test(name)) return;
  throw damaged(`directory ${directoryId}`, `${JSON.stringify(name)} cannot be a name`);
}
