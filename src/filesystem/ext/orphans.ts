import { hasFeature } from "./features.ts";
import { inodeBase } from "./inode.ts";
import { inodeBytes } from "./inode-reader.ts";
import { orphanBlocks, orphansIn } from "./orphan-file.ts";
import type { ExtSource } from "./source.ts";

/** How many orphans are followed: a list longer than this is not one. */
const orphanLimit = 1_000_000;

/**
 * The inodes that were deleted while they were open, or were being cut when the machine stopped: a list through
 * the inodes themselves, and with `orphan_file` a file of their numbers. Throws `damaged` where they cannot be read.
 */
export async function orphansOf(source: ExtSource): Promise<Set<number>> {
  const orphans = new Set<number>();
  const { record, features, inodeCount } = source.layout;
  for (let id = record.lastOrphan; id !== 0 && id <= inodeCount && !orphans.has(id);) {
    orphans.add(id);
    if (orphans.size >= orphanLimit) break;
    id = inodeBase.get(await inodeBytes(source, id), "deletionTime"); // holds the next of the list meanwhile
  }
  if (!hasFeature(features, "orphan_file") || !hasFeature(features, "orphan_present")) return orphans;
  for await (const { bytes } of orphanBlocks(source)) {
    for (const id of orphansIn(bytes)) if (id <= inodeCount && orphans.size < orphanLimit) orphans.add(id);
  }
  return orphans;
}
