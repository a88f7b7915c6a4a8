import { Failure } from "../../base/index.ts";
import type { TreeSource } from "../../tree/index.ts";
import { smallestSize } from "../smallest-size.ts";
import { TreeNeed, type SlotRules } from "../tree-need.ts";
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
const rules: SlotRules = {
  slotBytes,
  ownSlots: 2, // `.` and `..`, or the label of the file system
  slotsFor: (name) => (plainShortName(name) === undefined ? longSlotsOf(name) + 1 : 1),
};

/** How large a file system must be that has room for `sources` and little more. Nothing is written. */
export async function measureFat(sources: readonly TreeSource[], options: FatOptions): Promise<MeasuredFat> {
  const need = await TreeNeed.of(sources, rules);
  const rootEntries = need.rootSlots;
  const holds = (sizeBytes: number): boolean => {
    return roundings.every((more) => fits(need, { ...options, rootEntries }, sizeBytes + more));
  };
  return { sizeBytes: smallestSize(options.kind, holds), rootEntries };
}

/** How many bytes of files a new file system of a size has room for, in whole clusters. */
export async function roomInFat(sizeBytes: number, options: FatOptions): Promise<number> {
  const { clusterSectors, clusterCount, kind } = planLayout(options, sizeBytes);
  return (clusterCount - (kind === "fat32" ? 1 : 0)) * clusterSectors * sectorBytes;
}

function fits(need: TreeNeed, options: FatOptions, sizeBytes: number): boolean {
  try {
    const { clusterSectors, clusterCount, kind } = planLayout(options, sizeBytes);
    return need.clusters(clusterSectors * sectorBytes, kind === "fat32") <= clusterCount;
  } catch (error) {
    if (error instanceof Failure && error.code === "usage") return false;
    throw error;
  }
}
