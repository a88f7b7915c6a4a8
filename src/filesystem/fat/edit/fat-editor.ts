import { Failure, type JobOptions } from "../../../base/index.ts";
import type { BlockDevice } from "../../../device/index.ts";
import type { DataPiece, FileStretch } from "../../../tree/index.ts";
import { openAsItWillBe, type ChangedCopy } from "../../as-it-will-be.ts";
import { ChangeGuard } from "../../change-guard.ts";
import { ChunkCache } from "../../chunk-cache.ts";
import type {
  EditableFileSystem,
  EditOptions,
  MetadataChange,
  NamePlace,
  NewContent,
  NewFile,
} from "../../editable-file-system.ts";
import {
  attribute,
  keepableTimes,
  newAttributes,
  refuseUnkeepable,
  rootStat,
  withReadOnly,
} from "../../dos-attributes.ts";
import {
  LossWarning,
  missing,
  nameTaken,
  noLinks,
  notEmpty,
  refuseKind,
  refuseOtherKind,
  refuseOwnChild,
} from "../../dos-refusals.ts";
import { encodeTime } from "../../dos-time.ts";
import type { DirectoryItem, Extent, FileStat, FileSystemInfo, Problem } from "../../file-system.ts";
import { clusterOf, slotBytes, type ShortEntry } from "../directory-entry.ts";
import type { NamedSlot } from "../directory-reader.ts";
import { readFile, statOf } from "../fat-file.ts";
import { timesOf } from "../fat-time.ts";
import { foldedName, refuseBadName } from "../file-name.ts";
import { openFat } from "../open.ts";
import { applyChanges, commitChanges } from "./committer.ts";
import type { DirectoryImage } from "./directory-image.ts";
import { DirectoryStore, rootId } from "./directory-store.ts";
import type { FatVolume } from "./fat-volume.ts";
import { FileStore, placeAt } from "./file-store.ts";

const batchSize = 1000;

/** A FAT file system open for changes. It borrows its device. */
export class FatEditor implements EditableFileSystem {
  readonly rootId = rootId;
  readonly #info: Omit<FileSystemInfo, "freeBytes">;
  readonly #volume: FatVolume;
  readonly #directories: DirectoryStore;
  readonly #files: FileStore;
  readonly #options: EditOptions;
  readonly #guard = new ChangeGuard();
  readonly #losses: LossWarning;

  constructor(info: Omit<FileSystemInfo, "freeBytes">, volume: FatVolume, options: EditOptions) {
    this.#info = info;
    this.#volume = volume;
    this.#options = options;
    this.#losses = new LossWarning("FAT", options.onWarning);
    this.#directories = new DirectoryStore(volume);
    this.#files = new FileStore(volume);
  }

  get info(): FileSystemInfo {
    return { ...this.#info, freeBytes: this.#volume.pool.freeCount * this.#volume.layout.clusterBytes };
  }

  async stat(id: number): Promise<FileStat> {
    if (id === rootId) return rootStat(id, sizeOf(await this.#directories.open(id)));
    const entry = await this.#directories.entry(id);
    const directoryBytes = isDirectory(entry) ? sizeOf(await this.#directories.open(id)) : 0;
    return statOf(id, entry, this.#volume.layout, directoryBytes);
  }

  async *list(id: number): AsyncGenerator<readonly DirectoryItem[]> {
    const items: DirectoryItem[] = [];
    for (const { name, slot } of (await this.#directories.open(id)).items()) {
      items.push({ name, id: this.#directories.places.idAt(id, slot) });
    }
    for (let at = 0; at < items.length; at += batchSize) yield items.slice(at, at + batchSize);
  }

  async find(id: number, name: string): Promise<number | undefined> {
    const found = (await this.#directories.open(id)).find(name);
    return found === undefined ? undefined : this.#directories.places.idAt(id, found.slot);
  }

  async readLink(id: number): Promise<string> {
    throw new Failure("failed", `cannot read link ${id}: FAT has no links`);
  }

  async *content(id: number): AsyncGenerator<DataPiece> {
    const entry = await this.#regularFile(id);
    await this.#volume.out.drain();
    const { device, table } = this.#volume;
    const contents = new ChunkCache(device, { chunkBytes: 4096, chunkLimit: 1 });
    yield* readFile({ reader: device, contents }, table, entry, `file ${id}`);
  }

  async stretches(id: number): Promise<readonly FileStretch[]> {
    const { sizeBytes } = await this.#regularFile(id);
    return sizeBytes === 0 ? [] : [{ at: 0, lengthBytes: sizeBytes }];
  }

  async *usedExtents(): AsyncGenerator<Extent> {
    await using copy = await this.#asItWillBe();
    yield* copy.fileSystem.usedExtents();
  }

  async *check(): AsyncGenerator<Problem> {
    await using copy = await this.#asItWillBe();
    yield* copy.fileSystem.check();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#volume.out.drain().catch(() => {}); // what was written nothing refers to
  }

  create(place: NamePlace, file: NewFile): Promise<number> {
    return this.#guard.changing(async (begin) => {
      refuseBadName(place.name);
      refuseKind("FAT", file, place.name);
      const parent = await this.#directories.open(place.directory);
      refuseTaken(parent, place.name);
      if (file.kind === "file") this.#volume.pool.need(this.#volume.clustersFor(file.sizeBytes));
      begin();
      this.#losses.of(file);
      const firstSlot = await this.#directories.room(place.directory, parent.slotsFor(place.name));
      const { date, time } = encodeTime(file.modified);
      const values = { ...timesOf(this.#options.now), modifiedDate: date, modifiedTime: time };
      const isFolder = file.kind === "directory";
      const data = isFolder ? placeAt(0, 0) : await this.#files.put(file, place.name);
      const attributes = isFolder ? attribute.directory : newAttributes(file.mode);
      const slot = parent.add(place.name, firstSlot, { ...values, ...data, attributes });
      const id = this.#directories.places.idAt(place.directory, slot);
      if (isFolder) {
        const image = await this.#directories.make(id, parent, this.#options.now);
        parent.patch(slot, placeAt(image.start, 0));
      }
      await this.#touch(place.directory);
      return id;
    });
  }

  async link(place: NamePlace): Promise<void> {
    throw noLinks("FAT", place.name);
  }

  remove(place: NamePlace): Promise<void> {
    return this.#guard.changing(async (begin) => {
      const { found, id, image } = await this.#existing(place);
      await this.#refuseFull(id, place.name);
      begin();
      await this.#drop(id);
      image.remove(found);
      await this.#touch(place.directory);
    });
  }

  rename(from: NamePlace, to: NamePlace): Promise<void> {
    return this.#guard.changing(async (begin) => {
      refuseBadName(to.name);
      const { found, id, image } = await this.#existing(from);
      const target = await this.#directories.open(to.directory);
      const there = target.find(to.name);
      const isSame = there !== undefined && image === target && there.slot === found.slot;
      if (isSame && found.name === to.name) return;
      const replaced =
        there === undefined || isSame ? undefined : this.#directories.places.idAt(to.directory, there.slot);
      if (replaced !== undefined) await this.#refuseReplacing(id, replaced, to.name);
      const entry = image.entry(found.slot);
      if (isDirectory(entry)) refuseOwnChild(id, this.#directories.places.above(to.directory), to.name);
      begin();
      if (there !== undefined && replaced !== undefined) {
        await this.#drop(replaced);
        target.remove(there);
      }
      image.remove(found);
      const firstSlot = await this.#directories.room(to.directory, target.slotsFor(to.name));
      const slot = target.add(to.name, firstSlot, entry);
      this.#directories.places.place(id, to.directory, slot);
      if (isDirectory(entry) && image !== target) await this.#setParent(id, target);
      await this.#touch(from.directory);
      await this.#touch(to.directory);
    });
  }

  replaceContent(id: number, content: NewContent): Promise<void> {
    return this.#guard.changing(async (begin) => {
      const entry = await this.#regularFile(id);
      this.#volume.pool.need(this.#volume.clustersFor(content.sizeBytes));
      begin();
      const data = await this.#files.put(content, `file ${id}`);
      await this.#volume.releaseChain(clusterOf(entry, this.#volume.isLarge), `file ${id}`);
      await this.#changeData(id, entry, data);
    });
  }

  write(id: number, at: number, bytes: Uint8Array): Promise<void> {
    return this.#guard.changing(async (begin) => {
      const entry = await this.#regularFile(id);
      begin();
      if (bytes.length > 0) await this.#changeData(id, entry, await this.#files.write(entry, at, bytes, `file ${id}`));
    });
  }

  truncate(id: number, sizeBytes: number): Promise<void> {
    return this.#guard.changing(async (begin) => {
      const entry = await this.#regularFile(id);
      begin();
      await this.#changeData(id, entry, await this.#files.truncate(entry, sizeBytes, `file ${id}`));
    });
  }

  /** Times, and whether a file may be written to, which is all that FAT knows of a mode. */
  setMetadata(id: number, change: MetadataChange): Promise<void> {
    return this.#guard.changing(async (begin) => {
      const stat = await this.stat(id);
      refuseUnkeepable("FAT", stat, change);
      if (id === rootId) return;
      const entry = await this.#directories.entry(id);
      begin();
      const values: Partial<ShortEntry> = {};
      if (change.mode !== undefined && stat.kind === "file") {
        values.attributes = withReadOnly(entry.attributes, change.mode);
      }
      if (change.modified !== undefined) {
        const { date, time } = encodeTime(change.modified);
        Object.assign(values, { modifiedDate: date, modifiedTime: time });
      }
      if (change.accessed !== undefined) values.accessedDate = encodeTime(change.accessed).date;
      if (change.created !== undefined) {
        const { date, time, hundredths } = encodeTime(change.created);
        Object.assign(values, { createdDate: date, createdTime: time, createdHundredths: hundredths });
      }
      await this.#directories.patch(id, values);
    });
  }

  keepable(change: MetadataChange): MetadataChange {
    return keepableTimes(change);
  }

  commit(job: JobOptions = {}): Promise<void> {
    return this.#guard.committing(() => commitChanges(this.#volume, this.#directories, job));
  }

  async #asItWillBe(): Promise<ChangedCopy> {
    this.#guard.refuseBroken();
    const apply = (copy: BlockDevice): Promise<void> => applyChanges(this.#volume, this.#directories, copy);
    return openAsItWillBe(this.#volume.device, apply, openFat);
  }

  async #regularFile(id: number): Promise<ShortEntry> {
    const entry = id === rootId ? undefined : await this.#directories.entry(id);
    if (entry !== undefined && !isDirectory(entry)) return entry;
    throw new Failure("failed", `cannot use file ${id} as a file: it is a directory`);
  }

  async #existing(place: NamePlace): Promise<Existing> {
    const image = await this.#directories.open(place.directory);
    const found = image.find(place.name);
    if (found === undefined) throw missing(place.name);
    return { image, found, id: this.#directories.places.idAt(place.directory, found.slot) };
  }

  async #refuseFull(id: number, name: string): Promise<void> {
    if (!isDirectory(await this.#directories.entry(id)) || (await this.#directories.open(id)).isEmpty) return;
    throw notEmpty(name);
  }

  async #refuseReplacing(moved: number, replaced: number, name: string): Promise<void> {
    const isMovedFolder = isDirectory(await this.#directories.entry(moved));
    refuseOtherKind(name, isMovedFolder, isDirectory(await this.#directories.entry(replaced)));
    await this.#refuseFull(replaced, name);
  }

  async #setParent(id: number, parent: DirectoryImage): Promise<void> {
    const image = await this.#directories.open(id);
    const slot = image.dotSlot("..");
    const isRoot = parent.start === this.#volume.layout.rootCluster;
    if (slot !== undefined) image.patch(slot, placeAt(isRoot ? 0 : parent.start, 0));
  }

  /** Frees what a file takes. */
  async #drop(id: number): Promise<void> {
    const entry = await this.#directories.entry(id);
    await this.#volume.releaseChain(clusterOf(entry, this.#volume.isLarge), `file ${id}`);
    this.#directories.forget(id);
  }

  async #changeData(id: number, entry: ShortEntry, data: Partial<ShortEntry>): Promise<void> {
    const { date, time } = encodeTime(this.#options.now);
    const attributes = entry.attributes | attribute.archive;
    await this.#directories.patch(id, {
      ...data,
      attributes,
      modifiedDate: date,
      modifiedTime: time,
      accessedDate: date,
    });
  }

  /** A directory that names came into or went from is as new as that. */
  async #touch(id: number): Promise<void> {
    if (id === rootId) return;
    const { date, time } = encodeTime(this.#options.now);
    await this.#directories.patch(id, { modifiedDate: date, modifiedTime: time, accessedDate: date });
  }
}

interface Existing {
  readonly image: DirectoryImage;
  readonly found: NamedSlot;
  readonly id: number;
}

function isDirectory({ attributes }: Pick<ShortEntry, "attributes">): boolean {
  return (attributes & attribute.directory) !== 0;
}

function sizeOf(image: DirectoryImage): number {
  return image.capacity * slotBytes;
}

function refuseTaken(parent: DirectoryImage, name: string): void {
  const there = parent.find(name);
  if (there === undefined) return;
  throw nameTaken("FAT", name, there.name, foldedName(there.name) !== foldedName(name));
}
