import type { AttributeWriter } from "./attribute-writer.ts";
import type { ExtVolume } from "./volume.ts";

export async function releaseFile(volume: ExtVolume, attributes: AttributeWriter, inode: number): Promise<void> {
  void volume;
  void attributes;
  void inode;
}
