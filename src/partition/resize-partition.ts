import type { BlockDevice, BlockReader } from "../device/index.ts";
import { gptEndBytes, resizeGpt } from "./resize-gpt.ts";
import { cylinderBytesOf, extendedAround, mbrLimitBytes, resizeMbr } from "./resize-mbr.ts";
import type { Partition, PartitionTable } from "./table.ts";

const grainBytes = 1024 * 1024;

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
  const cylinderBytes = cylinderBytesOf(table, partition);
  const endBytes = cylinderBytes === 0 ? limitBytes : Math.floor(limitBytes / cylinderBytes) * cylinderBytes;
  return {
    endBytes,
    ...(behind === undefined ? {} : { followedBy: behind.number }),
  };
}

/**
 * Gives a partition another end, and the table its place on a disk of `diskBytes`. Cut off at any write, the table can
 * be read, and says the old or the new. `typeCode` is the type that it gets with it, as the table has types; on an MBR only
 * a primary partition gets one.
 */
export async function resizePartition(
  device: BlockDevice,
  table: PartitionTable,
  change: {
    readonly diskBytes: number;
    readonly partition: number;
    readonly endBytes: number;
    readonly typeCode?: Partition["typeCode"];
  },
): Promise<void> {
  const { typeCode, ...place } = change;
  if (table.kind === "gpt")
    await resizeGpt(device, { ...place, ...(typeof typeCode === "string" ? { typeCode } : {}) });
  else await resizeMbr(device, table, { ...place, ...(typeof typeCode === "number" ? { typeCode } : {}) });
}

/** The least end of a partition that is to hold so many bytes: whole MiB, or cylinders on a disk divided in those. */
export function endFor(table: PartitionTable, { startBytes, sizeBytes }: Partition, neededBytes: number): number {
  const unitBytes = cylinderBytesOf(table, { startBytes, sizeBytes }) || grainBytes;
  const neededEnd = startBytes + neededBytes;
  return Math.min(startBytes + sizeBytes, Math.ceil(neededEnd / unitBytes) * unitBytes);
}

/** The least size of a disk whose last partition ends here, in whole MiB. */
export async function diskBytesFor(reader: BlockReader, table: PartitionTable, endBytes: number): Promise<number> {
  if (table.kind === "mbr") return endBytes;
  const tailBytes = reader.sizeBytes - (await gptEndBytes(reader, reader.sizeBytes));
  return Math.min(reader.sizeBytes, Math.ceil((endBytes + tailBytes) / grainBytes) * grainBytes);
}
