import { inodeBase } from "../inode.ts";
import { inodesOfGroup } from "../inode-table-reader.ts";
import type { ExtSource } from "../source.ts";

/** The numbers of all inodes that hold something, in order. */
export async function* inodesInUse(source: ExtSource): AsyncGenerator<number> {
  const { groupCount, firstInode } = source.layout;
  for (let group = 0; group < groupCount; group++) {
    for await (const stretch of inodesOfGroup(source, await source.descriptors.of(group))) {
      for (const { id, raw } of stretch) {
        const isReserved = id < firstInode && inodeBase.get(raw, "mode") !== 0;
        if (isReserved || inodeBase.get(raw, "linkCount") > 0) yield id;
      }
    }
  }
}
