import { Failure } from "../../base/index.ts";
import { decodeName } from "../../bytes/index.ts";
import type { BlockReader } from "../../device/index.ts";
import { damaged } from "../damaged.ts";
import type { FileSystemInfo } from "../file-system.ts";
import { countFreeBlocks } from "./count-free.ts";
import { featureNames, whyNotRead } from "./features.ts";
import { layoutOf, type XfsLayout } from "./layout.ts";
import { stateOfLog } from "./log-state.ts";
import { findSuperblock } from "./superblock.ts";
import { XfsFileSystem } from "./xfs-file-system.ts";
import { XfsSource } from "./xfs-source.ts";

/**
 * Opens an XFS for reading. A log that waits to be replayed is not: `info.notes` tells that files are read as the
 * disk has them. Throws `damaged` where there is no usable superblock, `unsupported` naming what cannot be read.
 */
export async function openXfs(reader: BlockReader): Promise<XfsFileSystem> {
  const found = await findSuperblock(reader);
  if (found?.superblock === undefined) {
    throw damaged("the XFS superblock", found?.problem ?? "there is none");
  }
  const { superblock, problem } = found;
  const why = whyNotRead(superblock);
  if (why !== undefined) throw new Failure("unsupported", `cannot read the XFS: ${why}`);
  const layout = layoutOf(superblock);
  const problems = problem === undefined ? [] : [problem];
  if (layout.sizeBytes > reader.sizeBytes) {
    problems.push(`the file system takes ${layout.sizeBytes} bytes, its device ends at ${reader.sizeBytes}`);
  }
  const logState = await stateOfLog(reader, layout);
  const source = new XfsSource(reader, layout, {
    logState,
    hasCounters: logState === "clean" && problem === undefined,
  });
  return new XfsFileSystem(source, problems, await infoOf(source, problems));
}

/** What a reader of a file system should know whose log waits. */
export const pendingLog =
  "the log waits to be replayed: what it holds is not seen here, and every block counts as used (mounting replays it)";

async function infoOf(source: XfsSource, problems: string[]): Promise<FileSystemInfo> {
  const { layout, reader, isLogPending } = source;
  const { superblock, blockBytes, sizeBytes } = layout;
  return {
    kind: "xfs",
    label: labelOf(superblock.label),
    uuid: superblock.uuid,
    sizeBytes,
    blockSizeBytes: blockBytes,
    freeBytes: (await freeBlocks(reader, layout, problems)) * blockBytes,
    features: featureNames(superblock),
    notes: [...problems, ...(isLogPending ? [pendingLog] : [])],
    ...(layout.foldsCase ? { foldsCase: true } : {}),
  };
}

function labelOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return decodeName(bytes, 0, end < 0 ? bytes.length : end);
}

async function freeBlocks(reader: BlockReader, layout: XfsLayout, problems: string[]): Promise<number> {
  const { superblock, dataBlocks } = layout;
  try {
    return Math.min(await countFreeBlocks(reader, superblock), dataBlocks);
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== "damaged") throw error;
    problems.push(error.message);
    return Math.min(superblock.freeBlocks, dataBlocks);
  }
}
