import { Failure } from "../../base/index.ts";
import { printableName, type Bitmap } from "../../bytes/index.ts";
import { attribute } from "../dos-attributes.ts";
import type { Problem } from "../file-system.ts";
import { chainRuns } from "./chain.ts";
import { clusterOf, shortEntry, slotBytes, type ShortEntry } from "./directory-entry.ts";
import { isDotSlot, namedSlots } from "./directory-reader.ts";
import { foldedName } from "./file-name.ts";
import { readDirectory, type FatSource } from "./fat-source.ts";

/** With more directories than this a tree is not gone through to its end: it would take too much memory. */
const directoryLimit = 1_000_000;

interface FoundDirectory {
  readonly path: string;
  /** Its first cluster; 0: the root directory of FAT12 and FAT16. */
  readonly start: number;
  /** What its `..` is to say. */
  readonly parentStart: number;
}

/** Goes through all directories and the chains of clusters of all files. */
export class DirectoryCheck {
  /** Whether some directory could not be read to its end. */
  isTorn = false;
  readonly #source: FatSource;
  readonly #claimed: Bitmap;
  readonly #queue: FoundDirectory[] = [];
  #count = 0;

  /** Marks in `claimed` the clusters that belong to files. */
  constructor(source: FatSource, claimed: Bitmap) {
    this.#source = source;
    this.#claimed = claimed;
  }

  async *run(): AsyncGenerator<Problem> {
    const { rootCluster } = this.#source.layout;
    if (rootCluster !== 0) {
      const { problem } = await this.#claim(rootCluster, Number.MAX_SAFE_INTEGER);
      if (problem !== undefined) yield error(`${problem} (/)`);
    }
    this.#enqueue({ path: "", start: rootCluster, parentStart: 0 });
    for (let directory = this.#queue.pop(); directory !== undefined; directory = this.#queue.pop()) {
      try {
        yield* this.#checkDirectory(directory);
      } catch (failure) {
        if (!(failure instanceof Failure)) throw failure;
        this.isTorn = true;
        yield error(`${failure.message} (${shown(directory.path)})`);
      }
    }
  }

  #enqueue(directory: FoundDirectory): void {
    if (++this.#count > directoryLimit) this.isTorn = true;
    else this.#queue.push(directory);
  }

  async *#checkDirectory({ path, start, parentStart }: FoundDirectory): AsyncGenerator<Problem> {
    const { bytes } = await readDirectory(this.#source, start, "the directory");
    const orphans: number[] = [];
    const names = new Set<string>();
    let dots = 0;
    for (const { name, slot } of namedSlots(bytes, (orphan) => void orphans.push(orphan))) {
      const entry = shortEntry.decode(bytes, slot * slotBytes);
      if (isDotSlot(bytes, slot)) {
        dots++;
        yield* this.#checkDot(entry, name, { path, start, parentStart });
        continue;
      }
      const place = `${path}/${name}`;
      if (name === "" || /[/\0]/.test(name)) yield error(`${JSON.stringify(name)} cannot be a name (${shown(path)})`);
      if (names.has(foldedName(name))) yield error(`the name is there twice (${shown(place)})`);
      names.add(foldedName(name));
      yield* this.#checkFile(entry, place, start);
    }
    if (path !== "" && dots !== 2) yield error(`the directory does not begin with "." and ".." (${shown(path)})`);
    for (const slot of orphans)
      yield warning(`a part of a long name belongs to no file (${shown(path)}, entry ${slot})`);
  }

  *#checkDot(entry: ShortEntry, name: string, { path, start, parentStart }: FoundDirectory): Generator<Problem> {
    const leadsTo = clusterOf(entry, this.#isLarge);
    if (leadsTo !== (name === "." ? start : parentStart)) {
      yield error(
        `"${name}" leads to cluster ${leadsTo}, not to ${name === "." ? start : parentStart} (${shown(path)})`,
      );
    }
  }

  async *#checkFile(entry: ShortEntry, place: string, parentStart: number): AsyncGenerator<Problem> {
    const { clusterBytes, rootCluster } = this.#source.layout;
    const isDirectory = (entry.attributes & attribute.directory) !== 0;
    const start = clusterOf(entry, this.#isLarge);
    const needed = Math.ceil(entry.sizeBytes / clusterBytes);
    if (start === 0) {
      if (isDirectory) yield error(`the directory has no cluster (${shown(place)})`);
      else if (needed > 0) yield error(`the file of ${entry.sizeBytes} bytes has no cluster (${shown(place)})`);
      return;
    }
    const { clusters, problem } = await this.#claim(start, isDirectory ? Number.MAX_SAFE_INTEGER : needed + 1);
    if (problem !== undefined) yield error(`${problem} (${shown(place)})`);
    if (isDirectory) {
      if (entry.sizeBytes !== 0)
        yield error(`the directory says that it has ${entry.sizeBytes} bytes (${shown(place)})`);
      if (clusters === 0) this.isTorn = true;
      else this.#enqueue({ path: place, start, parentStart: parentStart === rootCluster ? 0 : parentStart });
    } else if (problem === undefined && clusters < needed) {
      yield error(`the file's clusters end at byte ${clusters * clusterBytes} of ${entry.sizeBytes} (${shown(place)})`);
    } else if (clusters > needed) {
      yield error(`the file has more clusters than its ${entry.sizeBytes} bytes need (${shown(place)})`);
    }
  }

  /** Marks the clusters of a chain, of which not more than `limit` are counted. */
  async #claim(start: number, limit: number): Promise<{ clusters: number; problem?: string }> {
    let clusters = 0;
    try {
      for await (const run of chainRuns(this.#source.table, start, { limit: Infinity, what: "its data" })) {
        for (let cluster = run.start; cluster < run.start + run.count; cluster++) {
          if (this.#claimed.has(cluster))
            return { clusters, problem: `cluster ${cluster} belongs to another file too` };
          this.#claimed.set(cluster);
          if (clusters < limit) clusters++;
        }
      }
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      return { clusters, problem: failure.message };
    }
    return { clusters };
  }

  get #isLarge(): boolean {
    return this.#source.layout.kind === "fat32";
  }
}

function shown(path: string): string {
  return path === "" ? "/" : printableName(path);
}

function error(message: string): Problem {
  return { severity: "error", message };
}

function warning(message: string): Problem {
  return { severity: "warning", message };
}
