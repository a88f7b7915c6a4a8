import { Failure } from "../base/index.ts";
import type { SizeChange } from "../filesystem/index.ts";
import type { Partition, PartitionTable } from "../partition/index.ts";

/** What became, or would become, of each part of a disk. */
export interface ResizedDisk {
  readonly file: SizeChange;
  /** Absent where the file system takes the whole disk. */
  readonly partition?: SizeChange & { readonly number: number };
  readonly fileSystem: SizeChange & { readonly kind: string };
}

/** Throws `damaged` where a table is not sound enough to be changed. */
export function refuseBroken(path: string, table: PartitionTable): void {
  const problem = table.problems.find(({ severity }) => severity === "error");
  if (problem === undefined) return;
  throw new Failure("damaged", `cannot change the size of "${path}": ${problem.message}`, {
    hint: `run: disk check ${path}`,
  });
}

/** The partition that was named, or the last on the disk. */
export function partitionToResize(
  table: PartitionTable,
  { path, partition }: { readonly path: string; readonly partition?: number },
): Partition {
  const candidates = table.partitions.filter(({ extended }) => !extended);
  const found =
    partition === undefined
      ? candidates.toSorted((a, b) => a.startBytes - b.startBytes).at(-1)
      : candidates.find(({ number }) => number === partition);
  if (found !== undefined) return found;
  const numbers = candidates.map(({ number }) => number).join(", ");
  const which = partition === undefined ? "a partition" : `partition ${partition}`;
  throw new Failure("not-found", `cannot find ${which} in "${path}"`, {
    hint: numbers === "" ? "it has none" : `it has ${numbers}`,
  });
}
