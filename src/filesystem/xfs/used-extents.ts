import { Failure } from "../../base/index.ts";
import { damaged } from "../damaged.ts";
import type { Extent } from "../file-system.ts";
import { readFreeList, readFreeSpaceHeader, type FreeSpaceHeader } from "./group-headers.ts";
import { leavesOf } from "./group-tree.ts";
import { bnobt } from "./tree-kinds.ts";
import type { XfsSource } from "./xfs-source.ts";

interface Stretch {
  readonly start: number;
  readonly count: number;
}

/**
 * All but what the trees of free space say is free, and what groups keep for their trees. Where the log holds more than
 * what is in its place, blocks that count as free may hold files that only the log knows of: then everything.
 */
export async function* usedExtents(source: XfsSource): AsyncGenerator<Extent> {
  const { blockBytes, groupCount, groupBlocks, sizeBytes } = source.layout;
  let usedFrom = 0;
  for (let group = 0; group < groupCount && !source.isLogPending; group++) {
    const groupAt = group * groupBlocks * blockBytes;
    for await (const { start, count } of freeStretches(source, group)) {
      const startBytes = groupAt + start * blockBytes;
      if (startBytes > usedFrom) yield { startBytes: usedFrom, lengthBytes: startBytes - usedFrom };
      usedFrom = startBytes + count * blockBytes;
    }
  }
  if (sizeBytes > usedFrom) yield { startBytes: usedFrom, lengthBytes: sizeBytes - usedFrom };
}

/**
 * The free blocks of a group in ascending order, as far as its structures can be read: what is behind damage in them
 * counts as used.
 */
async function* freeStretches(source: XfsSource, group: number): AsyncGenerator<Stretch> {
  try {
    yield* soundStretches(source, group);
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== "damaged") throw error;
  }
}

async function* soundStretches(source: XfsSource, group: number): AsyncGenerator<Stretch> {
  const { reader, layout } = source;
  const header = await readFreeSpaceHeader(reader, layout.superblock, group);
  const kept = await keptBlocks(source, header);
  const { blockCount, roots, levels } = header;
  const tree = { kind: bnobt, group, blockCount, root: roots[0] ?? 0, levels: levels[0] ?? 0 };
  let next = 0;
  for await (const { view, count, start } of leavesOf(source, tree)) {
    for (let n = 0; n < count; n++) {
      const stretch = { start: view.getUint32(start + n * 8), count: view.getUint32(start + n * 8 + 4) };
      refuseOutside(stretch, group, blockCount);
      for (; next < kept.length && (kept[next] ?? 0) < stretch.start; next++) yield single(kept[next]);
      for (; next < kept.length && (kept[next] ?? 0) < stretch.start + stretch.count; next++);
      yield stretch;
    }
  }
  for (; next < kept.length; next++) yield single(kept[next]);
}

/** What a group keeps for its trees, ascending; nothing where the list of it is damaged. */
async function keptBlocks({ reader, layout }: XfsSource, header: FreeSpaceHeader): Promise<readonly number[]> {
  try {
    const list = await readFreeList(reader, layout.superblock, header);
    return [...new Set(list)].toSorted((a, b) => a - b);
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== "damaged") throw error;
    return [];
  }
}

function single(block: number | undefined): Stretch {
  return { start: block ?? 0, count: 1 };
}

function refuseOutside({ start, count }: Stretch, group: number, blockCount: number): void {
  if (count > 0 && start + count <= blockCount) return;
  throw damaged(
    `the free space of XFS allocation group ${group}`,
    `it says that ${count} blocks from ${start} on are free, of ${blockCount}`,
  );
}
