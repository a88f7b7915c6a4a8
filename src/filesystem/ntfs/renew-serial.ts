import { readBytes, type BlockDevice } from "../../device/index.ts";
import { damaged } from "../damaged.ts";
import { geometryOf, isSigned } from "./geometry.ts";
import { leftOutOfNtfs } from "./left-out.ts";
import { bootSector } from "./records.ts";

const serialBytes = 8;

/** Gives an NTFS volume another serial number, the first half of a UUID, in both its boot sectors. */
export async function renewNtfsSerial(device: BlockDevice, uuid: string): Promise<void> {
  const sector = await readBytes(device, 0, bootSector.sizeBytes);
  if (!isSigned(sector) || geometryOf(sector) === undefined) throw damaged("NTFS", "its boot sector is damaged");
  const serial = Buffer.from(uuid.replaceAll("-", ""), "hex").subarray(0, serialBytes).toReversed();
  bootSector.patch(sector, { serial });
  await device.write(0, sector);
  const second = await leftOutOfNtfs(device);
  if (second !== undefined) await device.write(second.at, second.bytes);
}
