import type { BlockReader } from "../../device/index.ts";
import { whyUnread } from "./features.ts";
import { soundMirror, soundSuperblock, superblockAt, superblockPlaces } from "./superblock.ts";

/**
 * Whether a btrfs stands on a device that is read here: all of it on this one device, and with known features. Of others
 * `recognise` tells.
 */
export async function probeBtrfs(reader: BlockReader): Promise<boolean> {
  if ((await superblockAt(reader, superblockPlaces[0])) === undefined) return false;
  const found = await soundSuperblock(reader);
  return found !== undefined && whyUnread(found.superblock) === undefined;
}

/** The same by the mirrors alone. They may be left over from what was there before. */
export async function probeBtrfsMirror(reader: BlockReader): Promise<boolean> {
  const found = await soundMirror(reader);
  return found !== undefined && whyUnread(found.superblock) === undefined;
}
