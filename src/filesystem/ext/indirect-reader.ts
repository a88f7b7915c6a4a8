import type { FileRun, OnMapBlock } from "./file-run.ts";
import type { ExtInode } from "./ext-inode.ts";
import type { ExtSource } from "./source.ts";

const directCount = 12;
const pointerBytes = 4;

/**
 * The runs of a file with a map of direct and indirect blocks (kernel documentation, ifork.rst). A pointer of
 * 0 is a hole. The map has at most three levels, so it cannot lead back into itself without end.
 */
export async function* indirectRuns(
  source: ExtSource,
  inode: ExtInode,
  onMapBlock: OnMapBlock | undefined,
): AsyncGenerator<FileRun> {
  const { blockSizeBytes } = source.layout;
  const lastBlock = Math.ceil(inode.sizeBytes / blockSizeBytes);
  const pointersPerBlock = blockSizeBytes / pointerBytes;
  yield* pointerRuns(pointersOf(inode.block.subarray(0, directCount * pointerBytes)), 0);

  let logical = directCount;
  for (let level = 1; level <= 3; level++) {
    if (logical >= lastBlock && onMapBlock === undefined) return; // nothing of it is within the file's size
    const [pointer = 0] = pointersOf(inode.block.subarray((directCount + level - 1) * pointerBytes).subarray(0, 4));
    if (pointer !== 0)
      yield* levelRuns({ source, inode, onMapBlock, pointersPerBlock, lastBlock }, pointer, level, logical);
    logical += pointersPerBlock ** level;
  }
}

interface Walk {
  readonly source: ExtSource;
  readonly inode: ExtInode;
  readonly onMapBlock: OnMapBlock | undefined;
  readonly pointersPerBlock: number;
  readonly lastBlock: number;
}

async function* levelRuns(walk: Walk, physical: number, level: number, logical: number): AsyncGenerator<FileRun> {
  const block = await walk.source.block(physical, `the block map of inode ${walk.inode.id}`);
  walk.onMapBlock?.(physical, block);
  const pointers = pointersOf(block);
  if (level === 1) {
    yield* pointerRuns(pointers, logical);
    return;
  }
  const step = walk.pointersPerBlock ** (level - 1);
  for (const [n, pointer] of pointers.entries()) {
    const from = logical + n * step;
    if (from >= walk.lastBlock && walk.onMapBlock === undefined) return;
    if (pointer !== 0) yield* levelRuns(walk, pointer, level - 1, from);
  }
}

function pointersOf(bytes: Uint8Array): Uint32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Uint32Array.from({ length: bytes.length / pointerBytes }, (_, n) => view.getUint32(n * pointerBytes, true));
}

/** Neighbouring pointers to neighbouring blocks make one run. */
function* pointerRuns(pointers: Uint32Array, logical: number): Generator<FileRun> {
  for (let n = 0; n < pointers.length;) {
    const physical = pointers[n] ?? 0;
    let count = 1;
    if (physical !== 0) {
      while (pointers[n + count] === physical + count) count++;
      yield { logical: logical + n, physical, count, isWritten: true };
    }
    n += count;
  }
}
