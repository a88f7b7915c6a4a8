import * as crypto from "node:crypto";
import { Failure } from "../../base/index.ts";
import type { BlockReader } from "../../device/index.ts";
import { bootPlaces, openFileSystem, readText, resolvePath, type FileSystem } from "../../filesystem/index.ts";
import { readImplantedMd5, type ImplantedMd5 } from "./implanted-md5.ts";
import type { PartToSum } from "./hash-task.ts";
import { asSumFile } from "./sum-file-names.ts";
import { parseSumList, type ListedSum, type SumAlgorithm } from "./sum-list.ts";

/** What an ISO says of itself. */
export interface Inside {
  readonly implanted?: ImplantedMd5;
  /** The list of its files that has the best hash. */
  readonly list?: InsideList;
}

export interface InsideList {
  /** As it is spelled in the ISO. */
  readonly file: string;
  readonly files: readonly ListedFile[];
  /** Files that it lists and that are not there. */
  readonly missingCount: number;
}

/** A file of the ISO that is listed. */
export interface ListedFile {
  readonly name: string;
  readonly algorithm: SumAlgorithm;
  readonly hex: string;
  readonly id: number;
  /** Where all of it stands in the ISO; absent where it does not stand there in one stretch. */
  readonly part?: PartToSum;
}

const listLimitBytes = 64 * 1024 * 1024;
const fileLimit = 200_000;
/** How many listed names are looked for by following links; with more that are not there the list is none of this disc. */
const slowLimit = 2000;
/** The better one first. */
const preference: readonly SumAlgorithm[] = ["sha256", "sha512", "blake2b512", "sha384", "sha224", "sha1", "md5"];

/** The sums inside an ISO; what cannot be read says nothing, as if it were not there. */
export async function lookInside(reader: BlockReader): Promise<Inside> {
  const implanted = await readImplantedMd5(reader);
  const list = await unlessUnreadable(() => readList(reader));
  return { ...(implanted === undefined ? {} : { implanted }), ...(list === undefined ? {} : { list }) };
}

/** The sum of a file that cannot be had while the ISO is read from front to end. */
export async function sumOfFile(reader: BlockReader, { id, algorithm }: ListedFile): Promise<string> {
  await using fileSystem = await openFileSystem(reader);
  const hash = crypto.createHash(algorithm);
  let position = 0;
  for await (const { at, bytes } of fileSystem.content(id)) {
    for (; position < at; position++) hash.update("\0");
    hash.update(bytes);
    position += bytes.length;
  }
  return hash.digest("hex");
}

async function readList(reader: BlockReader): Promise<InsideList | undefined> {
  await using fileSystem = await openFileSystem(reader);
  const lists: { readonly file: string; readonly listed: readonly ListedSum[] }[] = [];
  for await (const items of fileSystem.list(fileSystem.rootId)) {
    for (const { name } of items) {
      const file = asSumFile(name);
      if (file === undefined) continue;
      const text = await readText(fileSystem, `/${name}`, listLimitBytes);
      const listed = parseSumList(text ?? "", file.algorithm).filter((one) => one.name !== undefined);
      if (listed.length > 0) lists.push({ file: name, listed });
    }
  }
  const rank = ({ listed }: (typeof lists)[number]): number => preference.indexOf(listed[0]?.algorithm ?? "md5");
  const [best] = lists.toSorted((one, other) => rank(one) - rank(other));
  if (best === undefined || best.listed.length > fileLimit) return undefined;
  return await new ListResolver(reader, fileSystem).resolve(best.file, best.listed);
}

class ListResolver {
  readonly #reader: BlockReader;
  readonly #fileSystem: FileSystem;
  readonly #folders = new Map<number, ReadonlyMap<string, number>>();
  #slowCount = 0;

  constructor(reader: BlockReader, fileSystem: FileSystem) {
    this.#reader = reader;
    this.#fileSystem = fileSystem;
  }

  async resolve(file: string, listed: readonly ListedSum[]): Promise<InsideList> {
    const patched = await this.#bootPlaces();
    const files: ListedFile[] = [];
    let missingCount = 0;
    for (const { name = "", algorithm, hex } of listed) {
      if (name === file) continue; // a list that was made while it was written
      const id = await this.#find(name);
      if (id === undefined) {
        missingCount++;
        continue;
      }
      const part = await this.#partOf(id, algorithm);
      if (part !== undefined && patched.has(part.at)) continue;
      files.push({ name, algorithm, hex, id, ...(part === undefined ? {} : { part }) });
    }
    return { file, files: files.toSorted((one, other) => (one.part?.at ?? 0) - (other.part?.at ?? 0)), missingCount };
  }

  /** Into these the maker of the ISO writes where they are on it: their sums may be those from before. */
  async #bootPlaces(): Promise<ReadonlySet<number>> {
    return this.#fileSystem.info.kind.startsWith("iso") ? bootPlaces(this.#reader) : new Set();
  }

  async #find(name: string): Promise<number | undefined> {
    // A name that leads out of the ISO leads nowhere.
    if (name.split("/").includes("..")) return undefined;
    try {
      // Links are followed by the second way only; the first one is quick in folders with many names.
      const quick = await this.#idOf(name);
      if (quick === undefined && ++this.#slowCount > slowLimit) return undefined;
      const id = quick ?? (await resolvePath(this.#fileSystem, `/${name}`));
      return (await this.#fileSystem.stat(id)).kind === "file" ? id : undefined;
    } catch (error) {
      if (error instanceof Failure && error.code !== "interrupted") return undefined;
      throw error;
    }
  }

  async #idOf(path: string): Promise<number | undefined> {
    let id = this.#fileSystem.rootId;
    for (const name of path.split("/").filter((one) => one !== "" && one !== ".")) {
      const known = this.#folders.get(id) ?? (await this.#readFolder(id));
      const next = known.get(name);
      if (next === undefined) return undefined;
      id = next;
    }
    const { kind } = await this.#fileSystem.stat(id);
    return kind === "symlink" ? undefined : id;
  }

  async #readFolder(id: number): Promise<ReadonlyMap<string, number>> {
    const names = new Map<string, number>();
    if ((await this.#fileSystem.stat(id)).kind === "directory") {
      for await (const items of this.#fileSystem.list(id)) for (const item of items) names.set(item.name, item.id);
    }
    this.#folders.set(id, names);
    return names;
  }

  async #partOf(id: number, algorithm: SumAlgorithm): Promise<PartToSum | undefined> {
    const { sizeBytes } = await this.#fileSystem.stat(id);
    if (sizeBytes === 0) return { at: 0, lengthBytes: 0, algorithm };
    const places = await this.#fileSystem.places?.(id);
    const [first] = places ?? [];
    if (first === undefined || places === undefined) return undefined;
    const isWhole = places.every(({ at, deviceAt }) => deviceAt - first.deviceAt === at);
    const lengthBytes = places.reduce((sum, place) => sum + place.lengthBytes, 0);
    return isWhole && lengthBytes === sizeBytes ? { at: first.deviceAt, lengthBytes, algorithm } : undefined;
  }
}

async function unlessUnreadable<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof Failure && (error.code === "damaged" || error.code === "unsupported")) return undefined;
    throw error;
  }
}
