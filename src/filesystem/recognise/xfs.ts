import { formatSize } from "../../bytes/index.ts";
import type { BlockReader } from "../../device/index.ts";
import {
  countFreeBlocks,
  featureNames,
  findSuperblock,
  hasChecksums,
  incompatibleBits,
  whyNotRead,
  type XfsSuperblock,
} from "../xfs/index.ts";
import { nothingKnown, paddedText, Remarks, uuidOrNone, type Recognised, type Recogniser } from "./recognised.ts";

/** Of XFS what is not read: with a log or data elsewhere, damaged, or newer than this program. */
export const xfs: Recogniser = { first: recogniseXfs };

async function recogniseXfs(reader: BlockReader): Promise<Recognised | undefined> {
  const found = await findSuperblock(reader);
  if (found === undefined) return undefined;
  const remarks = new Remarks();
  if (found.problem !== undefined) remarks.error(found.problem);
  if (found.superblock === undefined) return nothingKnown("xfs", reader, remarks);
  return described(reader, found.superblock, remarks);
}

async function described(reader: BlockReader, superblock: XfsSuperblock, remarks: Remarks): Promise<Recognised> {
  const { blockSizeBytes, dataBlocks, incompatible, logStart, realtimeBlocks } = superblock;
  const freeBlocks = (await remarks.attempt(() => countFreeBlocks(reader, superblock))) ?? superblock.freeBlocks;
  if (superblock.inProgress !== 0) remarks.warn("XFS was not made to its end");
  if (hasChecksums(superblock) && (incompatible & incompatibleBits.needsRepair) !== 0) {
    remarks.error("XFS is marked for xfs_repair");
  }
  if (logStart === 0) remarks.note("its log is on another device");
  if (realtimeBlocks > 0) remarks.note(`its realtime device has ${formatSize(realtimeBlocks * blockSizeBytes)} more`);
  const why = whyNotRead(superblock);
  if (why !== undefined && remarks.notes.length + remarks.problems.length === 0) remarks.note(why);
  return {
    kind: "xfs",
    label: paddedText(superblock.label),
    uuid: uuidOrNone(superblock.uuid),
    sizeBytes: dataBlocks * blockSizeBytes,
    blockSizeBytes,
    usedBytes: (dataBlocks - freeBlocks) * blockSizeBytes,
    freeBytes: freeBlocks * blockSizeBytes,
    features: featureNames(superblock),
    ...(why === undefined ? {} : { whyNotRead: why }),
    ...remarks.told,
  };
}
