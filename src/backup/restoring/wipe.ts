import type { BlockDevice } from "../../device/index.ts";
import { isExtended, type TableDump } from "../clonezilla/index.ts";

const sectorBytes = 512;
/**
 * At the beginning and the end of disks, partitions and free stretches are the marks by which file systems, RAIDs, LVM and
 * tables are known. Those of what was there before must not be found any more.
 */
const marksBytes = 2 ** 20;

/** Erases the marks of what was there before in everything that no partition has. */
export async function wipeGaps(device: BlockDevice, dump: TableDump): Promise<void> {
  const data = dump.partitions
    .filter((partition) => !isExtended(partition, dump.kind))
    .toSorted((a, b) => a.startLba - b.startLba);
  let endBytes = 0;
  for (const { startLba, sectorCount } of data) {
    await wipeEnds(device, endBytes, startLba * sectorBytes);
    endBytes = (startLba + sectorCount) * sectorBytes;
  }
  await wipeEnds(device, endBytes, device.sizeBytes);
}

/** Erases the marks of what a partition held. */
export async function wipeMarks(device: BlockDevice): Promise<void> {
  await wipeEnds(device, 0, device.sizeBytes);
}

async function wipeEnds(device: BlockDevice, startBytes: number, endBytes: number): Promise<void> {
  const headEnd = Math.min(endBytes, startBytes + marksBytes);
  if (headEnd <= startBytes) return;
  await device.zero(startBytes, headEnd - startBytes);
  const tailStart = Math.max(headEnd, endBytes - marksBytes);
  if (tailStart < endBytes) await device.zero(tailStart, endBytes - tailStart);
}
