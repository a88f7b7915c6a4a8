import { readBytes, type BlockReader } from "../../device/index.ts";
import { whyNotFat } from "./layout.ts";

export const bootSectorBytes = 512;

/** Whether a FAT boot sector stands at the beginning. Says nothing of the rest being whole. */
export async function probeFat(reader: BlockReader): Promise<boolean> {
  if (reader.sizeBytes < bootSectorBytes) return false;
  return whyNotFat(await readBytes(reader, 0, bootSectorBytes)) === undefined;
}
