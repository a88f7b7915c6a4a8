import { Failure } from "../../base/index.ts";
import type { TreeSource } from "../../tree/index.ts";
import { smallestSize } from "../smallest-size.ts";
import { TreeNeed, type SlotRules } from "../tree-need.ts";
import { slotsOf } from "./directory-sets.ts";
import type { ExfatOptions } from "./make.ts";
import { leastClusters, planLayout, sectorBytes } from "./plan-layout.ts";
import { slotBytes } from "./records.ts";

const grainBytes = 2 ** 20;
/** A partition may come out larger than asked for, by up to a cylinder: its files have to fit that too. */
const roundings = [0, grainBytes, 8 * grainBytes];
const rules: SlotRules = {
  slotBytes,
  ownSlots: 3, // label, bitmap and up-case table; other directories have none
  slotsFor: (name) => slotsOf(name) + 1, // one may be left free so that a set begins in one sector
};

/** How large a file system must be that has room for `sources` and little more: whole MiB. Nothing is written. */
export async function measureExfat(sources: readonly TreeSource[], options: ExfatOptions): Promise<number> {
  const need = await TreeNeed.of(sources, rules);
  return smallestSize(options.kind, (sizeBytes) => {
    return roundings.every((more) => fits(need, options, sizeBytes + more));
  });
}

/** How many bytes of files a new file system of a size has room for, in whole clusters. */
export async function roomInExfat(sizeBytes: number, { clusterSizeBytes }: ExfatOptions): Promise<number> {
  const { clusterSectors, clusterCount } = planLayout(sizeBytes, clusterSizeBytes);
  const clusterBytes = clusterSectors * sectorBytes;
  return (clusterCount - leastClusters(clusterCount, clusterBytes)) * clusterBytes;
}

function fits(need: TreeNeed, { clusterSizeBytes }: ExfatOptions, sizeBytes: number): boolean {
  try {
    const { clusterSectors, clusterCount } = planLayout(sizeBytes, clusterSizeBytes);
    const clusterBytes = clusterSectors * sectorBytes;
    return need.clusters(clusterBytes, true) + leastClusters(clusterCount, clusterBytes) - 1 <= clusterCount;
  } catch (error) {
    if (error instanceof Failure && error.code === "usage") return false;
    throw error;
  }
}
