import type { ClusterRun } from "../../cluster-run.ts";
import { secondaryFlags, type StreamEntryRecord } from "../records.ts";

/** What the set of a file says of where its data is. */
export type StreamPlace = Pick<StreamEntryRecord, "flags" | "firstCluster" | "dataBytes" | "validBytes">;

/** What a set is to say of data in these clusters. One stretch needs nothing of the table. */
export function placeIn(runs: readonly ClusterRun[], dataBytes: number, validBytes = dataBytes): StreamPlace {
  const contiguous = runs.length === 1 ? secondaryFlags.noFatChain : 0;
  return {
    flags: secondaryFlags.allocationPossible | contiguous,
    firstCluster: runs[0]?.start ?? 0,
    dataBytes,
    validBytes,
  };
}

/** Clusters number `from` up to, not including, `to` of some. */
export function partOf(runs: readonly ClusterRun[], from: number, to = Infinity): ClusterRun[] {
  const part: ClusterRun[] = [];
  let number = 0;
  for (const { start, count } of runs) {
    const skip = Math.max(0, from - number);
    const end = Math.min(count, to - number);
    if (skip < end) part.push({ start: start + skip, count: end - skip });
    number += count;
  }
  return part;
}

/** The same clusters, neighbours in one stretch. */
export function joined(runs: readonly ClusterRun[]): ClusterRun[] {
  const all: { start: number; count: number }[] = [];
  for (const { start, count } of runs) {
    const last = all.at(-1);
    if (last !== undefined && last.start + last.count === start) last.count += count;
    else all.push({ start, count });
  }
  return all;
}
