import { readBytes, type BlockReader } from "../../device/index.ts";
import { firstDescriptorAt, standardId } from "./volume-descriptor.ts";

/** Whether a volume descriptor stands at its place. Says nothing of its being whole. */
export async function probeIso(reader: BlockReader): Promise<boolean> {
  if (reader.sizeBytes < firstDescriptorAt + 6) return false;
  const id = await readBytes(reader, firstDescriptorAt + 1, standardId.length);
  return Buffer.from(id).toString("latin1") === standardId;
}
