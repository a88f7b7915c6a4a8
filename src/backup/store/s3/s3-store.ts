import { S3mini, type ListObject } from "s3mini";
import { Failure } from "../../../base/index.ts";
import type { BlockReader } from "../../../device/index.ts";
import type { StoreAccess } from "../access.ts";
import {
  nameIn,
  pathIn,
  splitPath,
  unfinishedEnding,
  type BackupStore,
  type StoredItem,
  type StoreWriter,
} from "../backup-store.ts";
import type { RemotePlace } from "../place.ts";
import { s3Failure } from "./failure.ts";
import { largestObjectBytes, putObject, S3Reader, S3Writer, type S3File } from "./files.ts";
import { s3Settings } from "./settings.ts";

const noBytes = new Uint8Array(0);

/**
 * Objects of a bucket as files in folders. Nothing can be renamed there: the folder `x.part` has its objects below `x/`
 * from the beginning, and an empty object `x.part` beside them. As long as that is there, `x` is not.
 */
export class S3Store implements BackupStore {
  readonly name: string;
  readonly #s3: S3mini;
  readonly #root: string;

  constructor(place: RemotePlace, access: StoreAccess) {
    if (place.user !== undefined || place.port !== undefined) {
      throw new Failure("usage", `cannot understand the place "${place.name}": s3:// is followed by a bucket's name`, {
        hint: "--endpoint says where the store is, the keys of an account say who you are",
      });
    }
    this.name = place.name;
    this.#root = place.path;
    this.#s3 = new S3mini(s3Settings(place.host, access, place.name));
  }

  async list(folder: string): Promise<readonly StoredItem[]> {
    const key = this.#folderKey(folder);
    const objects = await this.#listKeys(key === "" ? "" : `${key}/`, folder, { delimiter: "/" });
    await this.#refuseUnfinished(folder);
    if (objects.length === 0 && key !== "") throw this.#notFound("read", folder);
    const names = objects.map((object) => ({ object, name: object.Key.slice(key === "" ? 0 : key.length + 1) }));
    const unfinished = new Set(names.map(({ name }) => name).filter((name) => name.endsWith(unfinishedEnding)));
    const items: StoredItem[] = [];
    for (const { object, name } of names) {
      const isFolder = name.endsWith("/");
      const isUnfinished = isFolder && unfinished.has(name.slice(0, -1) + unfinishedEnding);
      if (name === "" || isUnfinished) continue; // the folder itself; what its marker stands for
      if (isFolder) items.push(folderItem(name.slice(0, -1)));
      else items.push(unfinished.has(name) ? folderItem(name, object) : fileItem(name, object));
    }
    return items.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  async find(path: string): Promise<StoredItem | undefined> {
    const { name } = splitPath(path);
    const key = this.#folderKey(path);
    const isUnfinished = key !== "" && (await this.#has(key + unfinishedEnding, path));
    if (name.endsWith(unfinishedEnding)) return isUnfinished ? folderItem(name) : undefined;
    const [file] = await this.#listKeys(key, path, {}, 1);
    if (file !== undefined && file.Key === key) return fileItem(name, file);
    const inside = isUnfinished ? [] : await this.#listKeys(key === "" ? "" : `${key}/`, path, {}, 1);
    return inside.length > 0 ? folderItem(name) : undefined;
  }

  async open(path: string): Promise<BlockReader> {
    const file = this.#file(path);
    try {
      return new S3Reader(file, await this.#s3.getContentLength(file.key));
    } catch (error) {
      throw s3Failure(`cannot open "${file.name}"`, error);
    }
  }

  async makeFolder(path: string): Promise<void> {
    const key = this.#folderKey(path);
    const isThere =
      (await this.#has(key + unfinishedEnding, path)) || (await this.find(withoutEnding(path))) !== undefined;
    if (isThere) throw this.#exists(path);
    const { folder } = splitPath(path);
    if (folder.endsWith(unfinishedEnding) && (await this.find(folder)) === undefined) await this.makeFolder(folder);
    const name = nameIn(this, path);
    const marker = path.endsWith(unfinishedEnding) ? key + unfinishedEnding : `${key}/`;
    await putObject({ s3: this.#s3, key: marker, name }, noBytes);
  }

  async create(path: string): Promise<StoreWriter> {
    const file = this.#file(path);
    if (await this.#has(file.key, path)) throw this.#exists(path);
    return new S3Writer(file);
  }

  async put(path: string, bytes: Uint8Array): Promise<void> {
    const file = this.#file(path);
    if (await this.#has(file.key, path)) throw this.#exists(path);
    await putObject(file, bytes);
  }

  /** What was stored is durable. */
  async flush(): Promise<void> {}

  async rename(from: string, to: string): Promise<void> {
    const key = this.#folderKey(from);
    if (from !== to + unfinishedEnding) {
      throw new Failure("unsupported", `cannot rename "${nameIn(this, from)}": objects cannot be renamed`);
    }
    if (!(await this.#has(key + unfinishedEnding, from))) throw this.#notFound("rename", from);
    await this.#delete(key + unfinishedEnding, from);
  }

  async remove(path: string): Promise<void> {
    const key = this.#folderKey(path);
    const isMarked = await this.#has(key + unfinishedEnding, path);
    if (path.endsWith(unfinishedEnding) !== isMarked) return;
    const keys = (await this.#listKeys(`${key}/`, path, {})).map((object) => object.Key);
    // One by one: not every store has the call that deletes several. The marker goes last.
    for (const one of keys) await this.#delete(one, path);
    const last = isMarked ? key + unfinishedEnding : key;
    if (await this.#has(last, path)) await this.#delete(last, path);
  }

  async freeBytes(): Promise<undefined> {
    return undefined;
  }

  async largestFileBytes(): Promise<number> {
    return largestObjectBytes;
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  /** The key of a folder without its `/`, or of anything else. */
  #folderKey(path: string): string {
    return withoutEnding(this.#parents(pathIn(this.#root, path).replace(/^\/|\/$/g, "")));
  }

  /** Endings of folders are not in keys. */
  #parents(path: string): string {
    const { folder, name } = splitPath(path);
    return pathIn(folder.split("/").map(withoutEnding).join("/"), name);
  }

  #file(path: string): S3File {
    return { s3: this.#s3, key: this.#parents(pathIn(this.#root, path)), name: nameIn(this, path) };
  }

  async #refuseUnfinished(folder: string): Promise<void> {
    const path = pathIn(this.#root, folder).replace(/\/$/, "");
    if (path === "" || path.endsWith(unfinishedEnding)) return;
    if (!(await this.#has(this.#folderKey(folder) + unfinishedEnding, folder))) return;
    const name = nameIn(this, folder);
    throw new Failure("not-found", `cannot read "${name}": it was not finished`, {
      hint: `what is there of it is called "${name}${unfinishedEnding}"`,
    });
  }

  async #listKeys(
    prefix: string,
    path: string,
    options: { readonly delimiter?: "/" },
    limit?: number,
  ): Promise<readonly ListObject[]> {
    const about = `cannot read "${nameIn(this, path)}"`;
    try {
      const found = await this.#s3.listObjects("/", prefix, limit, options);
      if (found !== null) return found;
    } catch (error) {
      throw s3Failure(about, error);
    }
    throw new Failure("not-found", `${about}: there is no such bucket`, {
      hint: "make it first, where the store is kept",
    });
  }

  async #has(key: string, path: string): Promise<boolean> {
    try {
      return (await this.#s3.objectExists(key)) === true;
    } catch (error) {
      throw s3Failure(`cannot look at "${nameIn(this, path)}"`, error);
    }
  }

  async #delete(key: string, path: string): Promise<void> {
    try {
      await this.#s3.deleteObject(key);
    } catch (error) {
      throw s3Failure(`cannot remove "${nameIn(this, path)}"`, error);
    }
  }

  #exists(path: string): Failure {
    return new Failure("exists", `cannot make "${nameIn(this, path)}": it is there already`);
  }

  #notFound(action: string, path: string): Failure {
    return new Failure("not-found", `cannot ${action} "${nameIn(this, path)}": it is not there`);
  }
}

function withoutEnding(name: string): string {
  return name.endsWith(unfinishedEnding) ? name.slice(0, -unfinishedEnding.length) : name;
}

function folderItem(name: string, marker?: ListObject): StoredItem {
  return { name, kind: "folder", sizeBytes: 0, modifiedMs: marker?.LastModified.getTime() ?? 0 };
}

function fileItem(name: string, object: ListObject): StoredItem {
  return { name, kind: "file", sizeBytes: object.Size, modifiedMs: object.LastModified.getTime() };
}
