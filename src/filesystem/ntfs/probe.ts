import { readBytes, type BlockReader } from "../../device/index.ts";
import { findSecond, isSigned } from "./geometry.ts";
import { bootSector } from "./records.ts";

/** Whether an NTFS boot sector stands at the beginning of a device. */
export async function probeNtfs(reader: BlockReader): Promise<boolean> {
  if (reader.sizeBytes < bootSector.sizeBytes) return false;
  return isSigned(await readBytes(reader, 0, bootSector.sizeBytes));
}

/** Whether a second boot sector stands at the end of a device. It may be left over from what was there before. */
export async function probeSecondBoot(reader: BlockReader): Promise<boolean> {
  return (await findSecond(reader)) !== undefined;
}
