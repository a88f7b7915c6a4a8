import { Failure } from "../../../base/index.ts";
import { MappedReader, MemoryDevice, type BlockReader } from "../../../device/index.ts";
import { openForEditing, openPlace, type EditablePlace, type OpenPlace, type Place } from "../../../disk/index.ts";
import type { Timestamp } from "../../../tree/index.ts";
import type { EditableFileSystem, FileSystem, NewFile } from "../../../filesystem/index.ts";
import {
  nameIn,
  pathIn,
  splitPath,
  unfinishedEnding,
  type BackupStore,
  type StoredItem,
  type StoreWriter,
} from "../backup-store.ts";

const newFolder = { kind: "directory", mode: 0o755, uid: 0, gid: 0, sizeBytes: 0 } as const;
const newFile = { kind: "file", mode: 0o600, uid: 0, gid: 0, sizeBytes: 0 } as const;
/** FAT keeps lengths in 32 bits. */
const largestInFatBytes = 2 ** 32 - 1;
/** A file whose data does not stand on the disk as it reads is held in memory, up to this length. */
const heldLimitBytes = 16 * 1024 * 1024;

/**
 * A folder of a file system in an image or on a device that is not mounted. It is opened for changes when something is
 * first written, and from then on for nobody else.
 */
export class ImageStore implements BackupStore {
  readonly name: string;
  readonly #place: Place;
  readonly #root: string;
  readonly #now: Timestamp;
  #reading: Promise<OpenPlace> | undefined;
  #writing: Promise<EditablePlace> | undefined;
  /** After a write that failed nothing more can be committed, until it is opened anew. */
  #isBroken = false;

  constructor(name: string, place: Place, nowMs: number) {
    const seconds = Math.floor(nowMs / 1000);
    this.#now = { seconds, nanoseconds: Math.floor((nowMs - seconds * 1000) * 1e6) };
    this.name = name.replace(/(.)\/+$/, "$1");
    this.#place = place;
    this.#root = (place.path ?? "/").replace(/^\/+|\/+$/g, "");
  }

  async list(folder: string): Promise<readonly StoredItem[]> {
    const { fileSystem } = await this.#open();
    const id = await this.#idOf(fileSystem, folder);
    if (id === undefined || (await fileSystem.stat(id)).kind !== "directory") throw this.#notFound("read", folder);
    const items: StoredItem[] = [];
    for await (const batch of fileSystem.list(id)) {
      for (const { name, id: one } of batch) {
        const item = await itemOf(fileSystem, name, one);
        if (item !== undefined) items.push(item);
      }
    }
    return items.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  async find(path: string): Promise<StoredItem | undefined> {
    const { fileSystem } = await this.#open();
    const id = await this.#idOf(fileSystem, path);
    return id === undefined ? undefined : itemOf(fileSystem, splitPath(path).name, id);
  }

  async open(path: string): Promise<BlockReader> {
    if (this.#writing !== undefined) await (await this.#writing).fileSystem.commit(); // what was written is on the disk then
    const { fileSystem, reader } = await this.#open();
    const id = await this.#idOf(fileSystem, path);
    if (id === undefined) throw this.#notFound("open", path);
    const { kind, sizeBytes } = await fileSystem.stat(id);
    if (kind !== "file") throw new Failure("failed", `cannot open "${nameIn(this, path)}": it is a ${kind}`);
    const places = await fileSystem.places?.(id);
    if (places !== undefined) {
      const stretches = places.map(({ at, lengthBytes, deviceAt }) => ({ at, from: deviceAt, lengthBytes }));
      return new MappedReader(reader, sizeBytes, stretches);
    }
    if (sizeBytes > heldLimitBytes) {
      throw new Failure(
        "unsupported",
        `cannot open "${nameIn(this, path)}": its data does not stand there as it reads`,
        {
          hint: "take it out first: holdfast disk get",
        },
      );
    }
    const content = Buffer.alloc(sizeBytes);
    for await (const { at, bytes } of fileSystem.content(id)) content.set(bytes, at);
    return new MemoryDevice(content);
  }

  async makeFolder(path: string): Promise<void> {
    const { fileSystem } = await this.#change();
    if ((await this.#idOf(fileSystem, path)) !== undefined) throw this.#exists(path);
    const names = this.#names(path);
    let directory = fileSystem.rootId;
    for (const name of names) {
      const there = await fileSystem.find(directory, name);
      directory = there ?? (await fileSystem.create({ directory, name }, { ...newFolder, modified: this.#now }));
    }
    await fileSystem.commit();
  }

  async create(path: string): Promise<StoreWriter> {
    const { fileSystem } = await this.#change();
    const directory = await this.#freePlace(fileSystem, path);
    const { name } = splitPath(path);
    const part = { directory, name: name + unfinishedEnding };
    // What a run that was cut off has left.
    if ((await fileSystem.find(directory, part.name)) !== undefined) await fileSystem.remove(part);
    const id = await fileSystem.create(part, { ...newFile, modified: this.#now });
    return new ImageWriter(fileSystem, {
      id,
      part,
      whole: { directory, name },
      onFailure: () => {
        this.#isBroken = true;
      },
    });
  }

  async put(path: string, bytes: Uint8Array): Promise<void> {
    const { fileSystem } = await this.#change();
    const directory = await this.#freePlace(fileSystem, path);
    const content: Pick<NewFile, "content"> = bytes.length === 0 ? {} : { content: [{ at: 0, bytes }] };
    const file = { ...newFile, sizeBytes: bytes.length, modified: this.#now, ...content };
    try {
      await fileSystem.create({ directory, name: splitPath(path).name }, file);
    } catch (error) {
      this.#isBroken = true;
      throw error;
    }
  }

  async flush(): Promise<void> {
    if (this.#writing !== undefined) await (await this.#writing).fileSystem.commit();
  }

  async rename(from: string, to: string): Promise<void> {
    const { fileSystem } = await this.#change();
    const directory = await this.#freePlace(fileSystem, to);
    const source = await this.#idOf(fileSystem, splitPath(from).folder);
    if (source === undefined) throw this.#notFound("rename", from);
    const [before, after] = [splitPath(from).name, splitPath(to).name];
    await fileSystem.rename({ directory: source, name: before }, { directory, name: after });
    await fileSystem.commit();
  }

  async remove(path: string): Promise<void> {
    if ((await this.find(path)) === undefined) return;
    const { fileSystem } = await this.#change();
    const { folder, name } = splitPath(path);
    const directory = await this.#idOf(fileSystem, folder);
    if (directory === undefined) return;
    await removeTree(fileSystem, { directory, name });
    await fileSystem.commit();
  }

  async freeBytes(): Promise<number | undefined> {
    return (await this.#open()).fileSystem.info.freeBytes;
  }

  async largestFileBytes(): Promise<number | undefined> {
    const { info } = (await this.#open()).fileSystem;
    return info.kind.startsWith("fat") ? largestInFatBytes : undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const opened of [this.#writing, this.#reading]) {
      const open = await opened?.catch(() => undefined); // whoever called has heard of it
      await open?.[Symbol.asyncDispose]();
    }
  }

  #open(): Promise<OpenPlace | EditablePlace> {
    if (this.#writing !== undefined) return this.#writing;
    this.#reading ??= openPlace(this.#place);
    return this.#reading;
  }

  async #change(): Promise<EditablePlace> {
    if (this.#isBroken) {
      const broken = await this.#writing;
      this.#isBroken = false;
      this.#writing = undefined;
      await broken?.[Symbol.asyncDispose]();
    }
    this.#writing ??= openForEditing(this.#place, { now: this.#now });
    return await this.#writing;
  }

  #names(path: string): string[] {
    return pathIn(this.#root, path)
      .split("/")
      .filter((name) => name !== "");
  }

  async #idOf(fileSystem: FileSystem, path: string): Promise<number | undefined> {
    let id: number | undefined = fileSystem.rootId;
    for (const name of this.#names(path)) {
      if (id === undefined || (await fileSystem.stat(id)).kind !== "directory") return undefined;
      id = await fileSystem.find(id, name);
    }
    return id;
  }

  /** The folder of something that is to come. */
  async #freePlace(fileSystem: FileSystem, path: string): Promise<number> {
    const { folder, name } = splitPath(path);
    const directory = await this.#idOf(fileSystem, folder);
    if (directory === undefined) throw this.#notFound("write", path);
    if ((await fileSystem.find(directory, name)) !== undefined) throw this.#exists(path);
    return directory;
  }

  #exists(path: string): Failure {
    return new Failure("exists", `cannot make "${nameIn(this, path)}": it is there already`);
  }

  #notFound(action: string, path: string): Failure {
    return new Failure("not-found", `cannot ${action} "${nameIn(this, path)}": it is not there`);
  }
}

interface Naming {
  readonly id: number;
  readonly part: { readonly directory: number; readonly name: string };
  readonly whole: { readonly directory: number; readonly name: string };
  readonly onFailure: () => void;
}

/** So much is written between two commits, so that what is to be committed does not grow without bound. */
const committedBytes = 256 * 1024 * 1024;

class ImageWriter implements StoreWriter {
  readonly #fileSystem: EditableFileSystem;
  readonly #naming: Naming;
  #length = 0;
  #committedLength = 0;
  #isOver = false;

  constructor(fileSystem: EditableFileSystem, naming: Naming) {
    this.#fileSystem = fileSystem;
    this.#naming = naming;
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.#do(async () => {
      await this.#fileSystem.write(this.#naming.id, this.#length, bytes);
      this.#length += bytes.length;
      if (this.#length - this.#committedLength < committedBytes) return;
      await this.#fileSystem.commit();
      this.#committedLength = this.#length;
    });
  }

  async commit(): Promise<void> {
    const { part, whole } = this.#naming;
    await this.#do(async () => {
      await this.#fileSystem.rename(part, whole);
      await this.#fileSystem.commit();
    });
    this.#isOver = true;
  }

  async #do(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#isOver = true;
      this.#naming.onFailure();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isOver) return; // after a failure what is there is forgotten, or removed with its folder
    await this.#fileSystem.remove(this.#naming.part);
    await this.#fileSystem.commit();
  }
}

async function removeTree(fileSystem: EditableFileSystem, place: Naming["part"]): Promise<void> {
  const id = await fileSystem.find(place.directory, place.name);
  if (id === undefined) return;
  if ((await fileSystem.stat(id)).kind === "directory") {
    const names: string[] = [];
    for await (const batch of fileSystem.list(id)) names.push(...batch.map(({ name }) => name));
    for (const name of names) await removeTree(fileSystem, { directory: id, name });
  }
  await fileSystem.remove(place);
}

async function itemOf(fileSystem: FileSystem, name: string, id: number): Promise<StoredItem | undefined> {
  const { kind, sizeBytes, modified } = await fileSystem.stat(id);
  const modifiedMs = modified.seconds * 1000 + modified.nanoseconds / 1e6;
  if (kind === "directory") return { name, kind: "folder", sizeBytes: 0, modifiedMs };
  return kind === "file" ? { name, kind, sizeBytes, modifiedMs } : undefined;
}
