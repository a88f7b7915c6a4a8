import { readBytes, type BlockDevice } from "../../device/index.ts";
import { parseVolumeNumber } from "../volume-number.ts";
import { encodeBootRegion, regionSectors } from "./boot-region.ts";
import { readLayout } from "./layout.ts";
import { bootSector } from "./records.ts";

/** Gives an exFAT another serial number, in both of its boot regions. */
export async function renewExfatSerial(device: BlockDevice, uuid: string): Promise<void> {
  const { sectorBytes } = await readLayout(device);
  const region = await readBytes(device, 0, regionSectors * sectorBytes);
  const sector = region.slice(0, bootSector.sizeBytes);
  bootSector.patch(sector, { serial: parseVolumeNumber("exFAT", uuid) });
  const bytes = encodeBootRegion(sector, sectorBytes, region);
  await device.write(bytes.length, bytes);
  await device.write(0, bytes);
}
