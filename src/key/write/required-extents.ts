import { SliceReader, type BlockReader } from "../../device/index.ts";
import { openFileSystem, probe, type Extent } from "../../filesystem/index.ts";
import type { Partition, PartitionTable } from "../../partition/index.ts";

/** Pages of memory, blocks of flash: what is compared and written begins and ends at multiples of it. */
export const grainBytes = 4096;
/**
 * At the beginning and the end of disks and partitions are the marks by which file systems, RAIDs and tables are known.
 * Those of what was there before must not be found any more.
 */
const marksBytes = 2 ** 20;

/**
 * What of a disk has to be equal to a key: all but the space that its file systems do not use. In ascending order,
 * neighbours joined, in whole grains as far as the disk goes.
 */
export async function requiredExtents(reader: BlockReader, table: PartitionTable): Promise<readonly Extent[]> {
  const { sizeBytes } = reader;
  const partitions = table.partitions.toSorted((a, b) => a.startBytes - b.startBytes);
  const wanted: Extent[] = [between(sizeBytes - marksBytes, sizeBytes)];
  let endBytes = 0;
  for (const partition of partitions) {
    wanted.push(between(endBytes, partition.startBytes), ...(await requiredOf(reader, partition)));
    endBytes = partition.startBytes + partition.sizeBytes;
  }
  return joined(wanted, sizeBytes);
}

function between(startBytes: number, endBytes: number): Extent {
  const start = Math.max(0, startBytes);
  return { startBytes: start, lengthBytes: Math.max(0, endBytes - start) };
}

async function requiredOf(reader: BlockReader, { startBytes, sizeBytes }: Partition): Promise<readonly Extent[]> {
  const slice = new SliceReader(reader, startBytes, sizeBytes);
  if ((await probe(slice)) === undefined) return [{ startBytes, lengthBytes: sizeBytes }];
  const endBytes = startBytes + sizeBytes;
  const marks = Math.min(marksBytes, sizeBytes);
  const extents = [between(startBytes, startBytes + marks), between(endBytes - marks, endBytes)];
  await using fileSystem = await openFileSystem(slice);
  for await (const used of fileSystem.usedExtents()) {
    extents.push({ startBytes: startBytes + used.startBytes, lengthBytes: used.lengthBytes });
  }
  return extents;
}

function joined(extents: readonly Extent[], sizeBytes: number): readonly Extent[] {
  const found: { startBytes: number; lengthBytes: number }[] = [];
  for (const { startBytes, lengthBytes } of extents.toSorted((a, b) => a.startBytes - b.startBytes)) {
    if (lengthBytes === 0) continue;
    const start = Math.floor(startBytes / grainBytes) * grainBytes;
    const end = Math.min(sizeBytes, Math.ceil((startBytes + lengthBytes) / grainBytes) * grainBytes);
    const last = found.at(-1);
    const lastEnd = last === undefined ? -1 : last.startBytes + last.lengthBytes;
    if (last !== undefined && start <= lastEnd) last.lengthBytes = Math.max(lastEnd, end) - last.startBytes;
    else found.push({ startBytes: start, lengthBytes: end - start });
  }
  return found;
}
