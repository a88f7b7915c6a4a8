import { Failure, type JobOptions } from "../../../base/index.ts";
import type { BlockDevice } from "../../../device/index.ts";
import type { DataPiece, FileStretch } from "../../../tree/index.ts";
import { openAsItWillBe, type ChangedCopy } from "../../as-it-will-be.ts";
import { ChangeGuard } from "../../change-guard.ts";
import { ChunkCache } from "../../chunk-cache.ts";
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
import type {
  EditableFileSystem,
  EditOptions,
  MetadataChange,
  NamePlace,
  NewContent,
  NewFile,
} from "../../editable-file-system.ts";
import type { DirectoryItem, Extent, FileStat, FileSystemInfo, Problem } from "../../file-system.ts";
import { readParts, stretchesOf } from "../../part-reader.ts";
import { allocationOf } from "../chain.ts";
import { setBytes, slotsOf, type FileSet } from "../directory-sets.ts";
import { isDirectory, partsOf, statOf, validBytes } from "../exfat-file.ts";
import { accessedAt, createdAt, modifiedAt } from "../exfat-time.ts";
import { refuseBadName } from "../file-name.ts";
import { openExfat } from "../open.ts";
import {
  fileEntry,
  secondaryEntry,
  secondaryFlags,
  slotBytes,
  streamEntry,
  type FileEntryRecord,
  type StreamEntryRecord,
} from "../records.ts";
import { applyChanges, commitChanges } from "./committer.ts";
import { placeIn } from "./data-place.ts";
import type { DirectoryImage } from "./directory-image.ts";
import { DirectoryStore, rootId } from "./directory-store.ts";
import type { ExfatVolume } from "./exfat-volume.ts";
import { FileStore, type DataOwner } from "./file-store.ts";

const batchSize = 1000;
const kind = "exFAT";

/** An exFAT file system open for changes. It borrows its device. */
export class ExfatEditor implements EditableFileSystem {
  readonly rootId = rootId;
  readonly #info: Omit<FileSystemInfo, "freeBytes">;
  readonly #volume: ExfatVolume;
  readonly #directories: DirectoryStore;
  readonly #files: FileStore;
  readonly #options: EditOptions;
  readonly #guard = new ChangeGuard();
  readonly #losses: LossWarning;

  constructor(info: Omit<FileSystemInfo, "freeBytes">, volume: ExfatVolume, options: EditOptions) {
    this.#info = info;
    this.#volume = volume;
    this.#options = options;
    this.#losses = new LossWarning(kind, options.onWarning);
    this.#directories = new DirectoryStore(volume);
    this.#files = new FileStore(volume);
  }

  get info(): FileSystemInfo {
    return { ...this.#info, freeBytes: this.#volume.pool.freeCount * this.#volume.clusterBytes };
  }

  async stat(id: number): Promise<FileStat> {
    if (id === rootId) return rootStat(id, (await this.#directories.open(id)).capacity * slotBytes);
    return statOf(id, await this.#directories.facts(id), this.#volume.layout);
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
    throw new Failure("failed", `cannot read link ${id}: exFAT has no links`);
  }

  async *content(id: number): AsyncGenerator<DataPiece> {
    const owner = await this.#regularFile(id);
    await this.#volume.out.drain();
    const runs = await this.#files.runsOf(owner);
    const contents = new ChunkCache(this.#volume.device, { chunkBytes: 4096, chunkLimit: 1 });
    const source = { reader: this.#volume.device, contents };
    yield* readParts(source, partsOf(this.#volume.layout, runs, validBytes(owner.facts)));
  }

  async stretches(id: number): Promise<readonly FileStretch[]> {
    const { facts } = await this.#regularFile(id);
    return stretchesOf([{ at: 0, deviceAt: 0, lengthBytes: validBytes(facts) }]);
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
      refuseKind(kind, file, place.name);
      const parent = await this.#directories.open(place.directory);
      const there = parent.find(place.name);
      if (there !== undefined) throw nameTaken(kind, place.name, there.name, false);
      if (file.kind === "file") this.#volume.pool.need(this.#volume.clustersFor(file.sizeBytes));
      begin();
      this.#losses.of(file);
      const slot = await this.#directories.room(place.directory, slotsOf(place.name));
      const { now } = this.#options;
      const times = { ...createdAt(now), ...accessedAt(now), ...modifiedAt(file.modified) };
      const enter = (attributes: number, data: Partial<StreamEntryRecord>): number => {
        const head = [fileEntry.encode({ ...times, attributes }), streamEntry.encode(data)];
        parent.add(place.name, slot, Buffer.concat(head), new Uint8Array(0));
        return this.#directories.places.idAt(place.directory, slot);
      };
      let id: number;
      if (file.kind === "directory") {
        const made = this.#directories.newDirectory();
        id = enter(attribute.directory, made.place);
        this.#directories.adopt(id, made.image);
      } else {
        const runs = await this.#files.put(file, place.name);
        id = enter(newAttributes(file.mode), placeIn(runs, file.sizeBytes));
        this.#volume.chains.set(id, { was: undefined, runs });
      }
      await this.#touch(place.directory);
      return id;
    });
  }

  async link(place: NamePlace): Promise<void> {
    throw noLinks(kind, place.name);
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
      const isFolder = isDirectory(await this.#directories.facts(id));
      if (replaced !== undefined) {
        refuseOtherKind(to.name, isFolder, isDirectory(await this.#directories.facts(replaced)));
        await this.#refuseFull(replaced, to.name);
      }
      if (isFolder) refuseOwnChild(id, this.#directories.places.above(to.directory), to.name);
      begin();
      if (there !== undefined && replaced !== undefined) {
        await this.#drop(replaced);
        target.remove(there);
      }
      await this.#move(id, to, target);
      await this.#touch(from.directory);
      await this.#touch(to.directory);
    });
  }

  replaceContent(id: number, content: NewContent): Promise<void> {
    return this.#guard.changing(async (begin) => {
      const owner = await this.#regularFile(id);
      this.#volume.pool.need(this.#volume.clustersFor(content.sizeBytes));
      begin();
      const old = await this.#files.runsOf(owner);
      const runs = await this.#files.put(content, owner.what);
      await this.#changeData(owner, await this.#files.settle(owner, runs, content.sizeBytes));
      this.#volume.release(old);
    });
  }

  write(id: number, at: number, bytes: Uint8Array): Promise<void> {
    return this.#guard.changing(async (begin) => {
      const owner = await this.#regularFile(id);
      begin();
      if (bytes.length > 0) await this.#changeData(owner, await this.#files.write(owner, at, bytes));
    });
  }

  truncate(id: number, sizeBytes: number): Promise<void> {
    return this.#guard.changing(async (begin) => {
      const owner = await this.#regularFile(id);
      begin();
      await this.#changeData(owner, await this.#files.truncate(owner, sizeBytes));
    });
  }

  /** Times, and whether a file may be written to, which is all that exFAT knows of a mode. */
  setMetadata(id: number, change: MetadataChange): Promise<void> {
    return this.#guard.changing(async (begin) => {
      const stat = await this.stat(id);
      refuseUnkeepable(kind, stat, change);
      if (id === rootId) return;
      const { file } = await this.#directories.facts(id);
      begin();
      const { mode, modified, accessed, created } = change;
      const isFile = stat.kind === "file";
      await this.#directories.patch(id, {
        ...(mode !== undefined && isFile ? { attributes: withReadOnly(file.attributes, mode) } : {}),
        ...(modified === undefined ? {} : modifiedAt(modified)),
        ...(accessed === undefined ? {} : accessedAt(accessed)),
        ...(created === undefined ? {} : createdAt(created)),
      });
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
    return openAsItWillBe(this.#volume.device, apply, openExfat);
  }

  async #regularFile(id: number): Promise<DataOwner> {
    const owner = id === rootId ? undefined : await this.#directories.file(id);
    if (owner !== undefined && !isDirectory(owner.facts)) return owner;
    throw new Failure("failed", `cannot use file ${id} as a file: it is a directory`);
  }

  async #existing(place: NamePlace): Promise<{ image: DirectoryImage; found: FileSet; id: number }> {
    const image = await this.#directories.open(place.directory);
    const found = image.find(place.name);
    if (found === undefined) throw missing(place.name);
    return { image, found, id: this.#directories.places.idAt(place.directory, found.slot) };
  }

  async #refuseFull(id: number, name: string): Promise<void> {
    if (!isDirectory(await this.#directories.facts(id)) || (await this.#directories.open(id)).isEmpty) return;
    throw notEmpty(name);
  }

  /** A set with another name, or in another directory, in the place of the one that a file has. */
  async #move(id: number, to: NamePlace, target: DirectoryImage): Promise<void> {
    const node = this.#directories.places.node(id);
    const image = await this.#directories.open(node.directory);
    const found = image.setAt(node.slot);
    const set = setBytes(image.bytes, found).slice();
    const rest = set.subarray(slotsOf(found.name) * slotBytes);
    image.retire(found, id);
    const slot = await this.#directories.room(to.directory, slotsOf(to.name) + rest.length / slotBytes);
    target.add(to.name, slot, set, rest);
    this.#directories.places.place(id, to.directory, slot);
  }

  /** Frees what a file takes, and what makers keep beside it. */
  async #drop(id: number): Promise<void> {
    const owner = await this.#directories.file(id);
    const { directory, slot } = this.#directories.places.node(id);
    const image = await this.#directories.open(directory);
    const found = image.setAt(slot);
    const set = setBytes(image.bytes, found);
    const runs = [...(await this.#files.runsOf(owner))];
    for (let at = slotsOf(found.name) * slotBytes; at < set.length; at += slotBytes) {
      const place = secondaryEntry.decode(set, at);
      if ((place.flags & secondaryFlags.allocationPossible) === 0) continue;
      runs.push(...(await allocationOf(this.#volume.table, place, owner.what)).runs);
    }
    this.#volume.release(runs);
    this.#directories.forget(id);
  }

  async #changeData({ id, facts }: DataOwner, data: Partial<StreamEntryRecord>): Promise<void> {
    const { now } = this.#options;
    const attributes = facts.file.attributes | attribute.archive;
    const file: Partial<FileEntryRecord> = { attributes, ...modifiedAt(now), ...accessedAt(now) };
    await this.#directories.patch(id, file, data);
  }

  /** A directory that names came into or went from is as new as that. */
  async #touch(id: number): Promise<void> {
    if (id === rootId) return;
    const { now } = this.#options;
    await this.#directories.patch(id, { ...modifiedAt(now), ...accessedAt(now) });
  }
}
