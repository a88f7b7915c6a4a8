import { readBytes, type BlockDevice } from "../device/index.ts";
import { isVolumeBootSector } from "../partition/index.ts";
import { leftOutOfNtfs } from "./ntfs/index.ts";

const sectorBytes = 512;
/** "FAT: General Overview" 1.03, p. 9, and of NTFS the same: how many sectors of the disk are in front of the volume. */
const hiddenSectorsAt = 0x1c;
/** Of FAT32: in which sector the copy of the boot sector is. */
const copyAt = 0x32;
const largeTailAt = 0x16;

/**
 * Tells a FAT or NTFS volume that it was moved on its disk, where it had its old place right: its boot code finds the rest
 * by that. Other volumes do not know where they are.
 */
export async function moveVolume(
  device: BlockDevice,
  { fromLba, toLba }: { readonly fromLba: number; readonly toLba: number },
): Promise<void> {
  if (device.sizeBytes < sectorBytes || toLba >= 2 ** 32) return;
  const sector = Buffer.from(await readBytes(device, 0, sectorBytes));
  const name = sector.toString("latin1", 3, 11);
  if (!isVolumeBootSector(sector) || name === "EXFAT   " || name === "-FVE-FS-") return;
  if (sector.readUInt32LE(hiddenSectorsAt) !== fromLba) return;
  sector.writeUInt32LE(toLba, hiddenSectorsAt);
  await device.write(0, sector);
  const leftOut = await leftOutOfNtfs(device);
  if (leftOut !== undefined) return await device.write(leftOut.at, leftOut.bytes);
  const isLargeFat = sector.readUInt16LE(largeTailAt) === 0;
  const copySector = isLargeFat ? sector.readUInt16LE(copyAt) : 0;
  if (copySector === 0 || copySector >= sector.readUInt16LE(0x0e)) return;
  const place = copySector * sector.readUInt16LE(0x0b);
  const copy = Buffer.from(await readBytes(device, place, sectorBytes));
  if (copy.readUInt32LE(hiddenSectorsAt) !== fromLba) return;
  copy.writeUInt32LE(toLba, hiddenSectorsAt);
  await device.write(place, copy);
}
