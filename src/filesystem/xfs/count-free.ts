import type { BlockReader } from "../../device/index.ts";
import { readFreeSpaceHeader } from "./group-headers.ts";
import { isLazilyCounted, type XfsSuperblock } from "./superblock.ts";

/** More allocation groups than this are not summed up. */
const groupLimit = 65_536;

/**
 * The free blocks of all allocation groups together: where counters are lazy, as nearly everywhere, the superblock's own
 * is right only after a clean unmount. Throws `damaged` where a header is.
 */
export async function countFreeBlocks(reader: BlockReader, superblock: XfsSuperblock): Promise<number> {
  const { freeBlocks, groupCount, blockSizeBytes, dataBlocks } = superblock;
  if (!isLazilyCounted(superblock) || groupCount > groupLimit) return freeBlocks;
  if (dataBlocks * blockSizeBytes > reader.sizeBytes) return freeBlocks;
  let sum = 0;
  for (let group = 0; group < groupCount; group++) {
    const header = await readFreeSpaceHeader(reader, superblock, group);
    sum += header.freeBlocks + header.listCount + header.treeBlocks;
  }
  return sum;
}
