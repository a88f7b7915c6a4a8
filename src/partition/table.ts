import type { Geometry } from "./chs.ts";

/** Something wrong with a table that can still be read. An error loses data sooner or later, a warning need not. */
export interface Problem {
  readonly severity: "warning" | "error";
  readonly message: string;
  /** What the user can do about it, where that is more than to repair it. */
  readonly hint?: string;
}

/** One partition as the table has it. */
export interface Partition {
  /** As Linux and sfdisk number: MBR primaries 1 to 4, logical ones from 5; in GPT the entry's place from 1. */
  readonly number: number;
  readonly startBytes: number;
  readonly sizeBytes: number;
  /** MBR: the code, 0 to 255. GPT: the type GUID in upper case. */
  readonly typeCode: number | string;
  /** A name such as `linux`; the code as text where it has none. */
  readonly typeName: string;
  /** GPT only: the name, empty where none was given. */
  readonly label?: string;
  /** GPT only: the partition's own GUID. */
  readonly guid?: string;
  /** MBR: the active flag. GPT: attribute bit 2, "legacy BIOS bootable". */
  readonly active: boolean;
  /** GPT: all 64 bits. MBR: 0. */
  readonly attributes: bigint;
  /** True for the MBR partition that only holds logical partitions. */
  readonly extended: boolean;
}

/** A partition table as found on a device. */
export interface PartitionTable {
  readonly kind: "mbr" | "gpt";
  readonly sectorSizeBytes: number;
  /** MBR only: the geometry that the entries' CHS fields speak of, where they agree on one. */
  readonly geometry?: Geometry;
  /** MBR: the disk signature as `0x1234abcd`. GPT: the disk GUID. */
  readonly diskId: string;
  /** GPT only: how many entries there can be, and between which sectors partitions may be. */
  readonly gpt?: { readonly entryCount: number; readonly firstUsableLba: number; readonly lastUsableLba: number };
  /** By number. */
  readonly partitions: readonly Partition[];
  /** Empty when the table is sound. */
  readonly problems: readonly Problem[];
}

export interface TableOptions {
  /** What the device counts in; 512 unless told. */
  readonly sectorSizeBytes?: 512 | 4096;
}

export const legacyBootableBit = 1n << 2n; // UEFI 2.10 table 5.8

export const errorProblem = (message: string): Problem => ({ severity: "error", message });
export const warningProblem = (message: string): Problem => ({ severity: "warning", message });

/** Partitions that share sectors, and partitions that pass the end of the device. */
export function placementProblems(partitions: readonly Partition[], deviceBytes: number): Problem[] {
  const problems: Problem[] = [];
  for (const { number, startBytes, sizeBytes } of partitions) {
    const endBytes = startBytes + sizeBytes;
    if (endBytes > deviceBytes) {
      problems.push(errorProblem(`partition ${number} ends at byte ${endBytes}, the device at ${deviceBytes}`));
    }
  }
  // An extended partition contains its logical ones: each of the two levels is looked at by itself.
  const isLogical = (partition: Partition): boolean => typeof partition.typeCode === "number" && partition.number > 4;
  return [
    ...problems,
    ...overlapProblems(partitions.filter((partition) => !isLogical(partition))),
    ...overlapProblems(partitions.filter(isLogical)),
  ];
}

function overlapProblems(partitions: readonly Partition[]): Problem[] {
  const problems: Problem[] = [];
  let widest: Partition | undefined;
  for (const partition of partitions.toSorted((a, b) => a.startBytes - b.startBytes)) {
    if (widest !== undefined && partition.startBytes < widest.startBytes + widest.sizeBytes) {
      problems.push(errorProblem(`partitions ${widest.number} and ${partition.number} overlap`));
    }
    if (widest === undefined || endOf(partition) > endOf(widest)) widest = partition;
  }
  return problems;
}

function endOf(partition: Partition): number {
  return partition.startBytes + partition.sizeBytes;
}
