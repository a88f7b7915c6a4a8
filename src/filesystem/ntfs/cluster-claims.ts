import { Bitmap } from "../../bytes/index.ts";
import type { Run } from "./runs.ts";

/** Which clusters belong to something, as a check finds out. */
export class ClusterClaims {
  readonly claimed: Bitmap;

  constructor(clusterCount: number) {
    this.claimed = new Bitmap(clusterCount);
  }

  /**
   * Claims clusters up to one that belongs to something already, and gives that one. So runs that lead into each other
   * take no more time than others.
   */
  take(runs: readonly Run[]): number | undefined {
    for (const { cluster, count } of runs) {
      if (cluster === undefined) continue;
      const taken = this.claimed.nextSet(cluster, cluster + count);
      const end = taken < 0 ? cluster + count : taken;
      if (end > cluster) this.claimed.setRange(cluster, end - cluster);
      if (taken >= 0) return taken;
    }
    return undefined;
  }
}
