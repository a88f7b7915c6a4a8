import { Failure } from "../../base/index.ts";
import { printableName } from "../../bytes/index.ts";
import type { DataPiece, FileStretch } from "../../tree/index.ts";
import { damaged } from "../damaged.ts";
import { rootStat } from "../dos-attributes.ts";
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
import { readParts, stretchesOf } from "../part-reader.ts";
import { allocationOf } from "./chain.ts";
import { checkExfat } from "./check.ts";
import { fileSetAt, fileSets, isSealed, placeInRuns, setBytes, type FileSet } from "./directory-sets.ts";
import { factsIn, isDirectory, partsOf, statOf, validBytes, type FileFacts } from "./exfat-file.ts";
import { readDirectory, readRoot, type DirectoryBytes, type ExfatSource } from "./exfat-source.ts";
import { whyBadName } from "./file-name.ts";
import { fileEntry, slotBytes } from "./records.ts";
import { usedExtents } from "./used-extents.ts";
import type { VolumeEntries } from "./volume-entries.ts";

/** No entry of a directory stands so early on a device. */
const rootId = 1;
/** How many names of a directory are given at once. */
const batchSize = 1000;
/** How many directories are kept by their names. */
const indexLimit = 16;

/**
 * An exFAT file system. It borrows its reader and closes nothing. The id of a file is where on the device the first
 * entry of its set is, in entries.
 */
export class ExfatFileSystem implements FileSystem {
  readonly info: FileSystemInfo;
  readonly rootId = rootId;
  readonly #source: ExfatSource;
  readonly #volume: VolumeEntries;
  readonly #indexes = new Map<number, ReadonlyMap<string, number>>();
  /** Sets that go on elsewhere on the device: few, one at most for each cluster of a directory. */
  readonly #splitSets = new Map<number, Uint8Array>();

  constructor(source: ExfatSource, volume: VolumeEntries, info: FileSystemInfo) {
    this.#source = source;
    this.#volume = volume;
    this.info = info;
  }

  async stat(id: number): Promise<FileStat> {
    if (id === rootId) return rootStat(id, (await readRoot(this.#source)).bytes.length);
    return statOf(id, (await this.#file(id)).facts, this.#source.layout);
  }

  async *list(id: number): AsyncGenerator<readonly DirectoryItem[]> {
    const directory = await this.#directory(id);
    let items: DirectoryItem[] = [];
    for (const set of fileSets(directory.bytes)) {
      refuseImpossibleName(set.name);
      items.push({ name: set.name, id: this.#idOf(directory, set) });
      if (items.length < batchSize) continue;
      yield items;
      items = [];
    }
    if (items.length > 0) yield items;
  }

  async find(id: number, name: string): Promise<number | undefined> {
    const index = this.#indexes.get(id) ?? (await this.#readIndex(id));
    return index.get(this.#volume.upcase.fold(name));
  }

  async readLink(id: number): Promise<string> {
    throw new Failure("failed", `cannot read link ${id}: exFAT has no links`);
  }

  async *content(id: number): AsyncGenerator<DataPiece> {
    const { facts, what } = await this.#regularFile(id);
    const { layout, table } = this.#source;
    const { runs } = await allocationOf(table, facts.stream, what);
    yield* readParts(this.#source, partsOf(layout, runs, validBytes(facts)));
  }

  async stretches(id: number): Promise<readonly FileStretch[]> {
    const { facts } = await this.#regularFile(id);
    return stretchesOf([{ at: 0, deviceAt: 0, lengthBytes: validBytes(facts) }]);
  }

  async places(id: number): Promise<readonly FilePlace[]> {
    const { facts, what } = await this.#regularFile(id);
    const { layout, table } = this.#source;
    const { runs } = await allocationOf(table, facts.stream, what);
    return [...partsOf(layout, runs, validBytes(facts))];
  }

  usedExtents(): AsyncIterable<Extent> {
    return usedExtents(this.#source.layout, this.#volume.bitmap.used);
  }

  check(): AsyncIterable<Problem> {
    return limitProblems(checkExfat(this.#source, this.#volume));
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  /** What the set of a file says. Throws `damaged` where its checksum is wrong. */
  async #file(id: number): Promise<{ readonly facts: FileFacts; readonly what: string }> {
    const set = this.#splitSets.get(id) ?? (await this.#readSet(id));
    const found = fileSetAt(set, 0);
    if (found === undefined) throw damaged(`file ${id}`, "there are no directory entries of it");
    const what = `"${printableName(found.name)}"`;
    if (!isSealed(set)) throw damaged(what, "the checksum of its directory entries does not match");
    return { facts: factsIn(set), what };
  }

  async #readSet(id: number): Promise<Uint8Array> {
    const at = id * slotBytes;
    const head = await this.#source.structures.bytes(at, slotBytes);
    return this.#source.structures.bytes(at, (1 + fileEntry.get(head, "secondaryCount")) * slotBytes);
  }

  async #regularFile(id: number): Promise<{ readonly facts: FileFacts; readonly what: string }> {
    const found = id === rootId ? undefined : await this.#file(id);
    if (found !== undefined && !isDirectory(found.facts)) return found;
    throw new Failure("failed", `cannot read file ${id}: it is a directory`);
  }

  async #directory(id: number): Promise<DirectoryBytes> {
    if (id === rootId) return readRoot(this.#source);
    const { facts, what } = await this.#file(id);
    if (!isDirectory(facts)) throw new Failure("failed", `cannot list file ${id}: it is a file`);
    return readDirectory(this.#source, facts.stream, what);
  }

  #idOf({ bytes, runs }: DirectoryBytes, set: FileSet): number {
    const { layout } = this.#source;
    const first = placeInRuns(layout, runs, set.slot * slotBytes);
    const last = placeInRuns(layout, runs, (set.slot + set.count - 1) * slotBytes);
    const id = first / slotBytes;
    if (last - first !== (set.count - 1) * slotBytes) this.#splitSets.set(id, setBytes(bytes, set).slice());
    return id;
  }

  /** The names of a directory, as the volume tells them apart. */
  async #readIndex(id: number): Promise<ReadonlyMap<string, number>> {
    const directory = await this.#directory(id);
    const index = new Map<string, number>();
    for (const set of fileSets(directory.bytes)) {
      const folded = this.#volume.upcase.fold(set.name);
      if (!index.has(folded)) index.set(folded, this.#idOf(directory, set));
    }
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

/** Throws `damaged` for a name that cannot be one. */
function refuseImpossibleName(name: string): void {
  if (name !== "." && name !== ".." && !/[/\0]/.test(name)) return;
  throw damaged("a directory", `${JSON.stringify(name)} cannot be a name: ${whyBadName(name) ?? ""}`);
}
