import { readBytes, type BlockDevice } from "../../device/index.ts";
import { parseVolumeNumber } from "../volume-number.ts";
import { extendedSignatureFull, largeTail, smallTail } from "./boot-sector.ts";
import { layoutOf } from "./layout.ts";
import { bootSectorBytes } from "./probe.ts";

/** Gives a FAT another volume number, in both copies of its boot sector. One that has none stays so. */
export async function renewFatNumber(device: BlockDevice, uuid: string): Promise<void> {
  const { kind, backupAt } = layoutOf(await readBytes(device, 0, bootSectorBytes));
  const tail = kind === "fat32" ? largeTail : smallTail;
  for (const at of [0, ...(backupAt === undefined ? [] : [backupAt])]) {
    const sector = await readBytes(device, at, bootSectorBytes);
    if (tail.get(sector, "extendedSignature") !== extendedSignatureFull) continue;
    tail.patch(sector, { volumeId: parseVolumeNumber("FAT", uuid) });
    await device.write(at, sector);
  }
}
