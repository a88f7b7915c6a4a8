/** Adjacent clusters. */
export interface ClusterRun {
  readonly start: number;
  readonly count: number;
}

/** FAT and exFAT: the first cluster that holds data; the two entries of a table before it stand for no cluster. */
export const firstCluster = 2;

export function clustersIn(runs: readonly ClusterRun[]): number {
  return runs.reduce((sum, { count }) => sum + count, 0);
}
