import type { ClusterRun } from "../cluster-run.ts";
import { damaged } from "../damaged.ts";
import { isCluster } from "./layout.ts";
import type { FatTable } from "./table.ts";

/**
 * The clusters of a chain in their order, neighbours joined, not more than `limit`. Throws `damaged` where it leads
 * out of the file system, into a free or a bad cluster.
 */
export async function* chainRuns(
  table: FatTable,
  first: number,
  { limit, what }: { readonly limit: number; readonly what: string },
): AsyncGenerator<ClusterRun> {
  const { mask, end } = table.marks;
  let left = limit;
  for (let cluster = first; left > 0;) {
    if (!isCluster(table.layout, cluster)) throw damaged(what, whyNoCluster(table, cluster));
    const start = cluster;
    let next = cluster;
    do {
      const window = await table.window(cluster);
      do {
        next = window.entry(cluster) & mask;
        cluster++;
        left--;
      } while (next === cluster && left > 0 && window.has(cluster));
    } while (next === cluster && left > 0);
    yield { start, count: cluster - start };
    if (next >= end) return;
    cluster = next;
  }
}

/** Why a number that a chain leads to is not one of its clusters. */
function whyNoCluster(table: FatTable, number: number): string {
  if (number === 0) return "its chain of clusters leads to a free one";
  if (number === table.marks.bad) return "its chain of clusters leads to a bad one";
  return `its chain of clusters leads to ${number}, which is none`;
}
