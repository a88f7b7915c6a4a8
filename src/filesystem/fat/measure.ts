import { Failure } from "../../base/index.ts";
import type { TreeSource } from "../../tree/index.ts";
import { smallestSize } from "../smallest-size.ts";
import { slotBytes } from "./directory-entry.ts";
import { longSlotsOf } from "./long-name.ts";
import type { FatOptions } from "./make.ts";
import { planLayout, sectorBytes } from "./plan-layout.ts";
import { plainShortName } from "./short-name.ts";

/** What to ask for in order to get a file system that just holds a tree. */
export interface MeasuredFat {
  /** A whole number of MiB. */
  readonly sizeBytes: number;
  readonly rootEntries: number;
}

const grainBytes = 2 ** 20;
/** A partition may come out larger than asked for, by up to a cylinder: its files have to fit that too. */
const roundings = [0, grainBytes, 8 * grainBytes];
/** `.` and `..`, or the label of the file system. */
const ownSlots = 2;

/** How large a file system must be that has room for `sources` and little more. Nothing is written. */
export async function measureFat(sources: readonly TreeSource[], options: FatOptions): Promise<MeasuredFat> {
  const need = await Need.of(sources);
  const rootEntries = need.rootSlots;
  const holds = (sizeBytes: number): boolean => {
    return roundings.every((more) => need.fits({ ...options, rootEntries }, sizeBytes + more));
  };
  return { sizeBytes: smallestSize(options.kind, holds), rootEntries };
}

/** How many bytes of files a new file system of a size has room for, in whole clusters. */
export async function roomInFat(sizeBytes: number, options: FatOptions): Promise<number> {
  const { clusterSectors, clusterCount, kind } = planLayout(options, sizeBytes);
  return (clusterCount - (kind === "fat32" ? 1 : 0)) * clusterSectors * sectorBytes;
}

/** What the files of a tree take. */
class Need {
  readonly #sizes = new Map<string, number>();
  /** How many entries each directory has. */
  readonly #slots = new Map<string, number>([["", ownSlots]]);

  static async of(sources: readonly TreeSource[]): Promise<Need> {
    const need = new Need();
    for (const source of sources) {
      for await (const batch of source.entries()) {
        for (const entry of batch) {
          if (entry.kind === "directory") need.#addDirectory(entry.path);
          else if (entry.kind === "hardlink") need.#addFile(entry.path, need.#sizes.get(entry.linkTarget) ?? 0);
          else need.#addFile(entry.path, entry.sizeBytes);
        }
      }
    }
    return need;
  }

  get rootSlots(): number {
    return this.#slots.get("") ?? ownSlots;
  }

  fits(options: FatOptions, sizeBytes: number): boolean {
    try {
      const { clusterSectors, clusterCount, kind } = planLayout(options, sizeBytes);
      return this.#clusters(clusterSectors * sectorBytes, kind === "fat32") <= clusterCount;
    } catch (error) {
      if (error instanceof Failure && error.code === "usage") return false;
      throw error;
    }
  }

  #clusters(clusterBytes: number, hasRootInClusters: boolean): number {
    let clusters = 0;
    for (const sizeBytes of this.#sizes.values()) clusters += Math.ceil(sizeBytes / clusterBytes);
    for (const [path, slots] of this.#slots) {
      if (path !== "" || hasRootInClusters) clusters += Math.ceil((slots * slotBytes) / clusterBytes);
    }
    return clusters;
  }

  #addFile(path: string, sizeBytes: number): void {
    if (!this.#sizes.has(path)) this.#addName(path);
    this.#sizes.set(path, sizeBytes);
  }

  #addDirectory(path: string): void {
    if (this.#slots.has(path)) return;
    this.#slots.set(path, ownSlots);
    this.#addName(path);
  }

  #addName(path: string): void {
    const cut = path.lastIndexOf("/");
    const parent = path.slice(0, Math.max(0, cut));
    this.#addDirectory(parent);
    const name = path.slice(cut + 1);
    const slots = plainShortName(name) === undefined ? longSlotsOf(name) + 1 : 1;
    this.#slots.set(parent, (this.#slots.get(parent) ?? 0) + slots);
  }
}
