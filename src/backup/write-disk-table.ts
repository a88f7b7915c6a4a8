import type { BlockDevice } from "../device/index.ts";
import { writeTable } from "../partition/index.ts";
import {
  hiddenLimitBytes,
  isExtended,
  partitionName,
  planFromDump,
  readSmallFile,
  type BackupDisk,
  type FolderFiles,
} from "./clonezilla/index.ts";

const sectorBytes = 512;
/** Boot code; behind it is the table. */
const bootCodeBytes = 446;

/** Writes table, boot code and what is hidden behind it onto an empty disk. Gives what could not be done. */
export async function writeDiskTable(
  device: BlockDevice,
  folder: FolderFiles,
  { name, dump, sizeBytes }: BackupDisk,
): Promise<string[]> {
  const warnings: string[] = [];
  const plan = planFromDump(dump, device.sizeBytes);
  const bootSector = await readSmallFile(folder, `${name}-mbr`);
  if (bootSector === undefined) warnings.push(`the boot code of ${name} is not in the backup`);
  else await device.write(0, bootSector.subarray(0, bootCodeBytes));
  await writeTable(device, plan);
  // Beside a GPT sector 0 may have entries of its own; what it says of the whole disk is right for this size only.
  if (dump.kind === "gpt" && device.sizeBytes === sizeBytes && isProtective(bootSector)) {
    await device.write(0, bootSector.subarray(0, sectorBytes));
  }
  for (const partition of dump.partitions.filter((one) => isExtended(one, dump.kind))) {
    const record = await readSmallFile(folder, `${partitionName(name, partition.number)}-ebr`);
    // The table in it was written already, but for one without partitions.
    const isEmpty = !dump.partitions.some(({ number }) => number > 4);
    if (record === undefined) continue;
    await device.write(partition.startLba * sectorBytes, record.subarray(0, isEmpty ? sectorBytes : bootCodeBytes));
  }
  if (dump.kind === "mbr") warnings.push(...(await writeHidden(device, folder, { name, dump })));
  return warnings;
}

const protectiveType = 0xee;

/** Whether a boot sector is there whole, and one of its four entries keeps other programs from a GPT. */
function isProtective(sector: Buffer | undefined): sector is Buffer {
  if (sector === undefined || sector.length < sectorBytes || sector.readUInt16BE(510) !== 0x55aa) return false;
  return [0, 1, 2, 3].some((n) => sector[bootCodeBytes + n * 16 + 4] === protectiveType);
}

/** What GRUB has put between the table and the first partition. */
async function writeHidden(
  device: BlockDevice,
  folder: FolderFiles,
  { name, dump }: Pick<BackupDisk, "name" | "dump">,
): Promise<string[]> {
  const hidden = await readSmallFile(folder, `${name}-hidden-data-after-mbr`, hiddenLimitBytes);
  if (hidden === undefined) return [];
  const first = dump.partitions.reduce((least, { startLba }) => Math.min(least, startLba), Infinity);
  const room = Math.min(first * sectorBytes, device.sizeBytes) - sectorBytes;
  if (hidden.length > room)
    return [`what is hidden behind the table of ${name} does not fit before the first partition`];
  await device.write(sectorBytes, hidden);
  return [];
}
