import { decodeName } from "../../bytes/index.ts";
import { damaged } from "../damaged.ts";
import { contentOf } from "./directory.ts";
import { forkRuns } from "./fork-runs.ts";
import { forkFormats, type XfsInode } from "./inode.ts";
import { readRemote } from "./remote.ts";
import type { XfsSource } from "./xfs-source.ts";

const magic = 0x58534c4d; // "XSLM"
/** The longest target ("Symbolic Links"). */
const targetLimitBytes = 1024;

/** Where a symbolic link points to. */
export async function readTarget(source: XfsSource, inode: XfsInode): Promise<string> {
  const what = `the symbolic link in inode ${inode.id}`;
  const { sizeBytes, data, id } = inode;
  if (sizeBytes === 0 || sizeBytes > targetLimitBytes) throw damaged(what, `a target of ${sizeBytes} bytes cannot be`);
  if (data.format === forkFormats.local) return decodeName(contentOf(inode, what));
  const target = new Uint8Array(sizeBytes);
  let done = 0;
  for await (const { block, count } of forkRuns(source, data, { id, what })) {
    if (done === sizeBytes) break;
    const lengthBytes = Math.min(count * source.layout.blockBytes, pieceLimitBytes);
    const piece = { deviceAt: source.deviceAt(block, what), lengthBytes };
    done += await readRemote(source, piece, { magic, owner: id, what, into: target.subarray(done), offset: done });
  }
  if (done < sizeBytes) throw damaged(what, `it has ${done} of ${sizeBytes} bytes`);
  return decodeName(target);
}

/** A target is in three pieces at most, and none is longer than this. */
const pieceLimitBytes = 65_536;
