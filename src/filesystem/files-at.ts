import { Failure, stopIfAborted, type JobOptions } from "../base/index.ts";
import type { Extent, FileSystem } from "./file-system.ts";

/** What is in the way of whoever asks which files are at a place. */
export interface FilesAt {
  /** Regular files with data there, by their first name, in the order in which they were met. */
  readonly paths: readonly string[];
  /** Files or directories were there that could not be looked at. */
  readonly isIncomplete: boolean;
}

/** Which files have data in stretches of the device. All of the tree is walked; what cannot be read of it is left out. */
export async function filesAt(
  fileSystem: FileSystem,
  stretches: readonly Extent[],
  { signal, pathLimit }: Pick<JobOptions, "signal"> & { readonly pathLimit: number },
): Promise<FilesAt> {
  const walk = new PlaceWalk(fileSystem, stretches);
  const waiting = [{ id: fileSystem.rootId, path: "" }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    stopIfAborted(signal);
    if (walk.paths.length >= pathLimit) return { paths: walk.paths, isIncomplete: true };
    waiting.push(...(await walk.look(next)));
  }
  return { paths: walk.paths, isIncomplete: walk.isIncomplete };
}

interface Named {
  readonly id: number;
  readonly path: string;
}

class PlaceWalk {
  readonly paths: string[] = [];
  isIncomplete = false;
  readonly #fileSystem: FileSystem;
  readonly #stretches: readonly Extent[];
  readonly #seen = new Set<number>();

  constructor(fileSystem: FileSystem, stretches: readonly Extent[]) {
    this.#fileSystem = fileSystem;
    this.#stretches = stretches;
  }

  /** Keeps a file that is there; gives what is in a directory. */
  async look({ id, path }: Named): Promise<Named[]> {
    if (this.#seen.has(id)) return [];
    this.#seen.add(id);
    try {
      const { kind } = await this.#fileSystem.stat(id);
      if (kind === "file" && (await this.#isThere(id))) this.paths.push(path);
      if (kind !== "directory") return [];
      const below: Named[] = [];
      for await (const items of this.#fileSystem.list(id)) {
        for (const item of items) below.push({ id: item.id, path: `${path}/${item.name}` });
      }
      return below.toReversed();
    } catch (error) {
      if (!(error instanceof Failure) || error.code === "interrupted") throw error;
      this.isIncomplete = true;
      return [];
    }
  }

  async #isThere(id: number): Promise<boolean> {
    const places = await this.#fileSystem.places?.(id);
    if (places === undefined) {
      this.isIncomplete = true; // compressed, or of a kind that does not tell
      return false;
    }
    return places.some(({ deviceAt, lengthBytes }) => {
      return this.#stretches.some((stretch) => {
        return deviceAt < stretch.startBytes + stretch.lengthBytes && stretch.startBytes < deviceAt + lengthBytes;
      });
    });
  }
}
