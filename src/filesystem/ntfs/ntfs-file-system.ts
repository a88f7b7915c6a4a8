import { Failure } from "../../base/index.ts";
import type { DataPiece, EntryKind, FileStretch } from "../../tree/index.ts";
import { damaged } from "../damaged.ts";
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
import { checkNtfs } from "./check.ts";
import { contentPlaces, contentStretches, readContent } from "./content.ts";
import { isOwnName, namesIn, type NameEntry } from "./directory.ts";
import { linkTargetOf, readFacts, statOf, type FileFacts } from "./ntfs-file.ts";
import type { NtfsVolume } from "./ntfs-volume.ts";
import { recordNumbers } from "./records.ts";
import { refuseForeignData } from "./reparse.ts";
import { usedExtents } from "./used-extents.ts";
import { readWof } from "./wof.ts";

/** How many directories are kept by their names. */
const indexLimit = 16;

/** The names of a directory as they are, and in upper case. */
interface NameIndex {
  readonly exact: ReadonlyMap<string, number>;
  readonly folded: ReadonlyMap<string, number>;
}

/** An NTFS volume, read-only. It borrows its reader and closes nothing. Ids are the numbers of records. */
export class NtfsFileSystem implements FileSystem {
  readonly info: FileSystemInfo;
  readonly rootId = recordNumbers.root;
  readonly #volume: NtfsVolume;
  readonly #indexes = new Map<number, NameIndex>();

  constructor(volume: NtfsVolume, info: FileSystemInfo) {
    this.#volume = volume;
    this.info = info;
  }

  async stat(id: number): Promise<FileStat> {
    return statOf(this.#volume.source, await this.#facts(id));
  }

  async *list(id: number): AsyncGenerator<readonly DirectoryItem[]> {
    for await (const names of this.#names(id)) {
      if (names.length > 0) yield names.map(({ name, record }) => ({ name, id: record }));
    }
  }

  async find(id: number, name: string): Promise<number | undefined> {
    const { exact, folded } = this.#indexes.get(id) ?? (await this.#readIndex(id));
    return exact.get(name) ?? folded.get(this.#volume.upcase.fold(name));
  }

  async readLink(id: number): Promise<string> {
    return linkTargetOf(await this.#factsOf(id, "symlink", "follow"));
  }

  async *content(id: number): AsyncGenerator<DataPiece> {
    const { what, data, wof } = await this.#dataOf(id);
    if (wof !== undefined) yield* readWof(this.#volume.source, wof, what);
    else if (data !== undefined) yield* readContent(this.#volume.source, data, what);
  }

  async stretches(id: number): Promise<readonly FileStretch[]> {
    const { data, wof } = await this.#dataOf(id);
    if (wof !== undefined) return wof.dataBytes === 0 ? [] : [{ at: 0, lengthBytes: wof.dataBytes }];
    return data === undefined ? [] : contentStretches(data, this.#volume.source.geometry.clusterBytes);
  }

  async places(id: number): Promise<readonly FilePlace[] | undefined> {
    const { data, wof } = await this.#dataOf(id);
    return data === undefined || wof !== undefined
      ? undefined
      : contentPlaces(data, this.#volume.source.geometry.clusterBytes);
  }

  usedExtents(): AsyncIterable<Extent> {
    return usedExtents(this.#volume.source);
  }

  check(): AsyncIterable<Problem> {
    return limitProblems(checkNtfs(this.#volume));
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #facts(id: number): Promise<FileFacts> {
    return readFacts(this.#volume.source, id);
  }

  async #factsOf(id: number, kind: EntryKind, action: string): Promise<FileFacts> {
    const facts = await this.#facts(id);
    if (facts.kind === kind) return facts;
    throw new Failure("failed", `cannot ${action} ${facts.what}: it is a ${facts.kind}`);
  }

  /** The data of a regular file. Throws `unsupported` where it cannot be read. */
  async #dataOf(id: number): Promise<Pick<FileFacts, "what" | "data" | "wof">> {
    const { what, data, reparse, wof } = await this.#factsOf(id, "file", "read");
    if (wof !== undefined) return { what, data, wof };
    if (reparse !== undefined) refuseForeignData(reparse, what);
    if (data?.isEncrypted === true) {
      throw new Failure("unsupported", `cannot read ${what}: it is encrypted by Windows (EFS)`, {
        hint: "only Windows with the certificate of its owner reads it",
      });
    }
    return { what, data, wof };
  }

  /** What is shown of a directory: neither the volume's own files nor the short names for old programs. */
  async *#names(id: number): AsyncGenerator<NameEntry[]> {
    const { file } = await this.#factsOf(id, "directory", "list");
    for await (const names of namesIn(this.#volume.source, file)) {
      const shown = names.filter((one) => isOwnName(one) && one.record >= recordNumbers.firstUser);
      for (const { name } of shown) refuseImpossibleName(name);
      yield shown;
    }
  }

  async #readIndex(id: number): Promise<NameIndex> {
    const exact = new Map<string, number>();
    const folded = new Map<string, number>();
    for await (const names of this.#names(id)) {
      for (const { name, record } of names) {
        exact.set(name, record);
        const upper = this.#volume.upcase.fold(name);
        if (!folded.has(upper)) folded.set(upper, record);
      }
    }
    for (const oldest of this.#indexes.keys()) {
      if (this.#indexes.size < indexLimit) break;
      this.#indexes.delete(oldest);
    }
    this.#indexes.set(id, { exact, folded });
    return { exact, folded };
  }
}

/** Throws `damaged` for a name that cannot be one. */
function refuseImpossibleName(name: string): void {
  if (name !== "" && name !== "." && name !== ".." && !/[/\0]/.test(name)) return;
  throw damaged("a directory", `${JSON.stringify(name)} cannot be a name`);
}
