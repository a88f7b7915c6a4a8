import { damaged } from "../damaged.ts";
import type { FilePart } from "../part-reader.ts";
import { forkRuns } from "./fork-runs.ts";
import type { XfsInode } from "./inode.ts";
import type { XfsSource } from "./xfs-source.ts";

/** Where the data of a file stands; holes and what was never written are left out. */
export async function* partsOf(source: XfsSource, inode: XfsInode): AsyncGenerator<FilePart> {
  const { blockBytes } = source.layout;
  const what = `inode ${inode.id}`;
  for await (const { logical, block, count, isUnwritten } of forkRuns(source, inode.data, { id: inode.id, what })) {
    const at = logical * blockBytes;
    if (isUnwritten) continue;
    if (at >= inode.sizeBytes) return; // reserved beyond the end
    const lengthBytes = Math.min(count * blockBytes, inode.sizeBytes - at);
    yield { at, deviceAt: source.deviceAt(block, what), lengthBytes };
  }
}

/** All parts of a file: undefined in one with more than can be held. */
export async function allParts(source: XfsSource, inode: XfsInode): Promise<FilePart[]> {
  const parts: FilePart[] = [];
  for await (const part of partsOf(source, inode)) {
    parts.push(part);
    if (parts.length > partLimit) throw damaged(`inode ${inode.id}`, `it is in more than ${partLimit} pieces`);
  }
  return parts;
}

/** More pieces of a file than this are not listed. */
const partLimit = 8_000_000;
