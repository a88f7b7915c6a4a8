import type { BlockReader } from "../../device/index.ts";
import { whyNotRead } from "./features.ts";
import { findSuperblock } from "./superblock.ts";

/** Whether a device holds an XFS that can be looked into. What else XFS can be is recognised. */
export async function probeXfs(reader: BlockReader): Promise<boolean> {
  const found = await findSuperblock(reader);
  if (found?.superblock === undefined || !found.isSound) return false;
  return whyNotRead(found.superblock) === undefined;
}
