import { Bitmap } from "../../bytes/index.ts";
import { firstCluster, type ClusterRun } from "../cluster-run.ts";
import type { Problem } from "../file-system.ts";

/** Which clusters belong to something, as a check finds out. Bit 0 is cluster 2. */
export class ClusterClaims {
  readonly claimed: Bitmap;
  readonly #used: Bitmap;

  constructor(used: Bitmap) {
    this.#used = used;
    this.claimed = new Bitmap(used.length);
  }

  /** Tells what is wrong with these clusters belonging to `what`; gives whether none belonged to something before. */
  *claim(runs: readonly ClusterRun[], what: string): Generator<Problem, boolean> {
    let shared: number | undefined;
    for (const { start, count } of runs) {
      const from = start - firstCluster;
      const taken = this.claimed.nextSet(from, from + count);
      if (taken >= 0) shared ??= taken + firstCluster;
      this.claimed.setRange(from, count);
    }
    yield* this.tell(runs, shared, what);
    return shared === undefined;
  }

  /** Claims one cluster; false where it belonged to something before. */
  take(cluster: number): boolean {
    const bit = cluster - firstCluster;
    if (this.claimed.has(bit)) return false;
    this.claimed.set(bit);
    return true;
  }

  /** What is wrong with clusters that were claimed, of which one may belong to something else. */
  *tell(runs: readonly ClusterRun[], shared: number | undefined, what: string): Generator<Problem> {
    if (shared !== undefined) yield error(`cluster ${shared} belongs to another file too (${what})`);
    for (const { start, count } of runs) {
      const clear = this.#used.nextClear(start - firstCluster, start - firstCluster + count);
      if (clear < 0) continue;
      const cluster = clear + firstCluster;
      yield error(`cluster ${cluster} belongs to a file, the bitmap says that it is free (${what})`);
      return;
    }
  }
}

function error(message: string): Problem {
  return { severity: "error", message };
}
