import { Failure } from "../../base/index.ts";
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
import { limitProblems } from "../limit-problems.ts";
import { readParts, stretchesOf } from "../part-reader.ts";
import { checkIso } from "./check.ts";
import { damaged } from "../damaged.ts";
import type { DirectoryRecord } from "./directory-record.ts";
import { namingRecords } from "./directory-reader.ts";
import { nameOf, partsOf, readFile, rockRidgeOf, statOf, storedPartsOf, type IsoFile } from "./iso-file.ts";
import { nameOfTree, refuseImpossibleName } from "./iso-name.ts";
import type { IsoSource } from "./iso-source.ts";
import type { VolumeDescriptors } from "./volume-descriptors.ts";
import { readPacked } from "./zisofs.ts";

/**
 * An ISO 9660 volume, by the best of its trees. It borrows its reader and closes nothing. The id of a directory is
 * where it begins on the device, that of another file where its directory record does, unless it has several names.
 */
export class IsoFileSystem implements FileSystem {
  readonly info: FileSystemInfo;
  readonly rootId: number;
  readonly #source: IsoSource;
  readonly #descriptors: VolumeDescriptors;

  constructor(source: IsoSource, descriptors: VolumeDescriptors, info: FileSystemInfo) {
    this.#source = source;
    this.#descriptors = descriptors;
    this.info = info;
    this.rootId = source.volume.rootAt;
  }

  stat(id: number): Promise<FileStat> {
    return statOf(this.#source, id);
  }

  async *list(id: number): AsyncGenerator<readonly DirectoryItem[]> {
    const { kind } = await readFile(this.#source, id);
    if (kind !== "directory") throw new Failure("failed", `cannot list file ${id}: it is a ${kind}`);
    for await (const records of namingRecords(this.#source, id)) {
      const items: DirectoryItem[] = [];
      for (const record of records) {
        const item = await this.#itemOf(record);
        if (item !== undefined) items.push(item);
      }
      if (items.length > 0) yield items;
    }
  }

  async find(id: number, name: string): Promise<number | undefined> {
    // Plain names have but one case, whichever the user knows them by.
    const isSame =
      this.#source.volume.tree === "plain"
        ? (other: string): boolean => other.toLowerCase() === name.toLowerCase()
        : (other: string): boolean => other === name;
    for await (const items of this.list(id)) {
      const item = items.find((one) => isSame(one.name));
      if (item !== undefined) return item.id;
    }
    return undefined;
  }

  async readLink(id: number): Promise<string> {
    const { kind, rockRidge } = await readFile(this.#source, id);
    if (kind !== "symlink") throw new Failure("failed", `cannot read link ${id}: it is a ${kind}`);
    if (rockRidge.linkTarget !== undefined) return rockRidge.linkTarget;
    throw damaged(`the link at byte ${id}`, "it has no target");
  }

  async *content(id: number): AsyncGenerator<DataPiece> {
    const file = await this.#regularFile(id);
    const { packed } = file.rockRidge;
    if (packed === undefined) yield* readParts(this.#source, partsOf(this.#source, file));
    else yield* readPacked(this.#source, await storedPartsOf(this.#source, file), { packed, what: nameOf(file) });
  }

  async stretches(id: number): Promise<readonly FileStretch[]> {
    const file = await this.#regularFile(id);
    const { packed } = file.rockRidge;
    if (packed === undefined) return stretchesOf(await Array.fromAsync(partsOf(this.#source, file)));
    return packed.sizeBytes === 0 ? [] : [{ at: 0, lengthBytes: packed.sizeBytes }];
  }

  async places(id: number): Promise<readonly FilePlace[] | undefined> {
    const file = await this.#regularFile(id);
    return file.rockRidge.packed === undefined ? Array.fromAsync(partsOf(this.#source, file)) : undefined;
  }

  /** All of the volume: what nothing can be written to has no free space. */
  async *usedExtents(): AsyncGenerator<Extent> {
    const lengthBytes = Math.min(this.info.sizeBytes, this.#source.reader.sizeBytes);
    if (lengthBytes > 0) yield { startBytes: 0, lengthBytes };
  }

  check(): AsyncIterable<Problem> {
    return limitProblems(checkIso(this.#source, this.#descriptors));
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  async #regularFile(id: number): Promise<IsoFile> {
    const file = await readFile(this.#source, id);
    if (file.kind !== "file") throw new Failure("failed", `cannot read file ${id}: it is a ${file.kind}`);
    const { packed, sparse } = file.rockRidge;
    if (packed === undefined || sparse === undefined) return file;
    throw new Failure("unsupported", `cannot read ${nameOf(file)}: it is packed (ZF) and in parts (SF) at once`);
  }

  /** Undefined for a directory that was moved here from further down, where it shows. */
  async #itemOf(record: DirectoryRecord): Promise<DirectoryItem | undefined> {
    const { tree, blockSizeBytes } = this.#source.volume;
    const rockRidge = await rockRidgeOf(this.#source, record);
    if (rockRidge.isRelocated) return undefined;
    const name = rockRidge.name ?? nameOfTree[tree](record.name);
    refuseImpossibleName(name, record.at);
    if (rockRidge.childBlock !== undefined) return { name, id: rockRidge.childBlock * blockSizeBytes };
    if (record.isDirectory) return { name, id: record.dataBlock * blockSizeBytes };
    return { name, id: this.#source.hardLinks.idOf(record, rockRidge) };
  }
}
