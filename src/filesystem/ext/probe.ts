import { readBytes, type BlockReader } from "../../device/index.ts";
import { hasSuperblockMagic } from "./layout.ts";
import { superblock, superblockAt } from "./superblock.ts";

/** Whether an ext2, ext3 or ext4 superblock stands at its place. Says nothing of its being whole. */
export async function probeExt(reader: BlockReader): Promise<boolean> {
  const bytes = await superblockBytes(reader, superblockAt);
  return bytes !== undefined && hasSuperblockMagic(bytes);
}

/** What stands where a superblock may; undefined past the end of the device. */
export async function superblockBytes(reader: BlockReader, at: number): Promise<Uint8Array | undefined> {
  if (at + superblock.sizeBytes > reader.sizeBytes) return undefined;
  return readBytes(reader, at, superblock.sizeBytes);
}
