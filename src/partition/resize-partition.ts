import type { BlockDevice, BlockReader } from "../device/index.ts";
import { gptEndBytes, resizeGpt } from "./resize-gpt.ts";
import { extendedAround, mbrEndBytes, mbrLimitBytes, resizeMbr } from "./resize-mbr.ts";
import type { Partition, PartitionTable } from "./table.ts";

/** How far a partition can reach on a disk of a size. */
export interface PartitionRoom {
  readonly endBytes: number;
  /** The number of the partition behind it, which it cannot pass. */
  readonly followedBy?: number;
}

/** How far a partition could reach if the disk had `diskBytes`. */
export async function roomOf(
  reader: BlockReader,
  table: PartitionTable,
  partition: Partition,
  diskBytes: number,
): Promise<PartitionRoom> {
  const ownEndBytes = partition.startBytes + partition.sizeBytes;
  const around = extendedAround(table, partition);
  const behind = table.partitions
    .filter((one) => one !== around && one.startBytes > partition.startBytes)
    .toSorted((a, b) => a.startBytes - b.startBytes)[0];
  const diskEndBytes =
    table.kind === "gpt"
      ? await gptEndBytes(reader, diskBytes)
      : Math.min(Math.floor(diskBytes / table.sectorSizeBytes) * table.sectorSizeBytes, mbrLimitBytes);
  // A logical partition has a boot record somewhere in front of it.
  const isLogicalBehind = behind !== undefined && extendedAround(table, behind) !== undefined;
  const nextBytes = isLogicalBehind && around !== undefined ? ownEndBytes : (behind?.startBytes ?? Infinity);
  const limitBytes = Math.min(diskEndBytes, nextBytes);
  const endBytes = table.kind === "mbr" ? mbrEndBytes(table, partition, limitBytes) : limitBytes;
  return {
    endBytes: Math.max(ownEndBytes, endBytes),
    ...(behind === undefined ? {} : { followedBy: behind.number }),
  };
}

/**
 * Gives a partition another end, and the table its place on a disk of `diskBytes`. Cut off at any write, the table can
 * be read, and says the old or the new.
 */
export async function resizePartition(
  device: BlockDevice,
  table: PartitionTable,
  change: { readonly diskBytes: number; readonly partition: number; readonly endBytes: number },
): Promise<void> {
  if (table.kind === "gpt") await resizeGpt(device, change);
  else await resizeMbr(device, table, change);
}
