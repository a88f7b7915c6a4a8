import { readBytes, type BlockReader } from "../../device/index.ts";
import { findSecondSector, isSigned } from "./boot-region.ts";
import { bootSector } from "./records.ts";

/** Whether an exFAT boot sector stands at the beginning of a device. */
export async function probeExfat(reader: BlockReader): Promise<boolean> {
  if (reader.sizeBytes < bootSector.sizeBytes) return false;
  return isSigned(await readBytes(reader, 0, bootSector.sizeBytes));
}

/** Whether a sound second boot region stands where it would. It may be left over from what was there before. */
export async function probeSecondRegion(reader: BlockReader): Promise<boolean> {
  return (await findSecondSector(reader)) !== undefined;
}
