import { damaged } from "../damaged.ts";
import { extentRuns, rootRuns } from "./extent-reader.ts";
import type { FileRun, OnMapBlock } from "./file-run.ts";
import { indirectRuns } from "./indirect-reader.ts";
import type { ExtInode } from "./ext-inode.ts";
import { hasFlag } from "./inode-reader.ts";
import type { ExtLayout } from "./layout.ts";
import type { ExtSource } from "./source.ts";

/**
 * Where the blocks of a file stand, in the order of the file. Throws `damaged` where the map leaves the file
 * system, goes backwards, or has more blocks than there are: so the work is bounded by the device.
 */
export async function* fileRuns(source: ExtSource, inode: ExtInode, onMapBlock?: OnMapBlock): AsyncGenerator<FileRun> {
  const runs = hasFlag(inode, "extents")
    ? extentRuns(source, inode, onMapBlock)
    : indirectRuns(source, inode, onMapBlock);
  let mapped = 0;
  for await (const run of runs) {
    mapped += run.count;
    refuseImpossibleRun(source.layout, inode, run, mapped);
    yield run;
  }
}

/** The same for a file whose whole map stands in its inode; undefined for others. */
export function inlineRuns(source: ExtSource, inode: ExtInode): FileRun[] | undefined {
  if (!hasFlag(inode, "extents")) return undefined;
  const runs = rootRuns(inode);
  let mapped = 0;
  for (const run of runs ?? []) {
    mapped += run.count;
    refuseImpossibleRun(source.layout, inode, run, mapped);
  }
  return runs;
}

function refuseImpossibleRun(layout: ExtLayout, inode: ExtInode, run: FileRun, mapped: number): void {
  const { blockCount, firstDataBlock } = layout;
  if (run.physical <= firstDataBlock || run.physical + run.count > blockCount) {
    const last = run.physical + run.count - 1;
    throw damaged(`inode ${inode.id}`, `its blocks ${run.physical} to ${last} are not all inside the file system`);
  }
  if (mapped > blockCount) throw damaged(`inode ${inode.id}`, "it has more blocks than the file system");
}

/** Whether a file keeps what it holds in blocks, and not in its inode. */
export function hasBlocks(layout: ExtLayout, inode: ExtInode): boolean {
  if (hasFlag(inode, "inlineData")) return false;
  if (inode.kind === "symlink") return !isShortLink(layout, inode);
  return inode.kind === "file" || inode.kind === "directory";
}

/** Whether a link's target stands in the inode: then it has no blocks besides the one for its attributes. */
export function isShortLink(layout: ExtLayout, inode: ExtInode): boolean {
  const attributeBytes = inode.xattrBlock === 0 ? 0 : layout.clusterBlocks * layout.blockSizeBytes;
  return inode.sizeBytes < inode.block.length && inode.allocatedBytes <= attributeBytes;
}
