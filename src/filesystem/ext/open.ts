import { Failure } from "../../base/index.ts";
import type { BlockReader } from "../../device/index.ts";
import type { FileSystemInfo } from "../file-system.ts";
import { damaged } from "../damaged.ts";
import { ExtFileSystem } from "./ext-file-system.ts";
import { featureNames, featureWords, hasFeature } from "./features.ts";
import { hasSuperblockMagic, isSuperblockChecksumRight, labelOf, layoutOf, type ExtLayout } from "./layout.ts";
import { replayJournal } from "./journal-replay.ts";
import { superblockBytes } from "./probe.ts";
import { ExtSource } from "./source.ts";
import { stateErrors, superblock, superblockAt } from "./superblock.ts";

/**
 * Opens an ext2, ext3 or ext4 file system for reading. A journal that waits to be replayed is replayed in
 * memory; a broken superblock is replaced by one of its copies; `info.notes` tells of both. Throws `damaged`
 * where there is no usable superblock, `unsupported` naming the features that cannot be read.
 */
export async function openExt(reader: BlockReader): Promise<ExtFileSystem> {
  const found = await findSuperblock(reader);
  const notes = [...found.notes];
  const first = new ExtSource(reader, found.layout, notes);
  const replayed = await replayJournal(first);
  const source = replayed === undefined ? first : await sourceAfterReplay(replayed, found.layout, notes);
  noteShortDevice(source);
  const wasReplayed = replayed !== undefined;
  return new ExtFileSystem(source, await infoOf(source, wasReplayed), wasReplayed);
}

/** A file system to look into over a source that is ready: nothing waits to be replayed. */
export async function openOver(source: ExtSource): Promise<ExtFileSystem> {
  return new ExtFileSystem(source, await infoOf(source, false), false);
}

/** The journal may hold a newer superblock. */
async function sourceAfterReplay(reader: BlockReader, layout: ExtLayout, notes: string[]): Promise<ExtSource> {
  const bytes = await superblockBytes(reader, superblockAt);
  if (bytes === undefined || !hasSuperblockMagic(bytes)) return new ExtSource(reader, layout, notes);
  return new ExtSource(reader, layoutOf(bytes), notes);
}

interface FoundSuperblock {
  readonly layout: ExtLayout;
  readonly notes: readonly string[];
}

async function findSuperblock(reader: BlockReader): Promise<FoundSuperblock> {
  const bytes = await superblockBytes(reader, superblockAt);
  if (bytes === undefined) throw damaged("the ext superblock", `the device ends at ${reader.sizeBytes} bytes`);
  let primary: ExtLayout | undefined;
  let reason: unknown;
  try {
    primary = layoutOf(bytes);
    if (isSuperblockChecksumRight(bytes)) return { layout: primary, notes: [] };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (error.code === "unsupported" && isSuperblockChecksumRight(bytes)) throw error;
    reason = error;
  }
  const copy = await findCopy(reader);
  if (copy !== undefined) return copy;
  if (primary === undefined) throw reason;
  return { layout: primary, notes: ["the checksum of the superblock is wrong and no copy of it was found"] };
}

/** Looks where mke2fs puts copies: in the groups 1, 3, 5 and 7 of every block size. */
async function findCopy(reader: BlockReader): Promise<FoundSuperblock | undefined> {
  for (let blockSizeBytes = 1024; blockSizeBytes <= 65536; blockSizeBytes *= 2) {
    const firstDataBlock = blockSizeBytes === 1024 ? 1 : 0;
    for (const group of [1, 3, 5, 7]) {
      const block = firstDataBlock + group * blockSizeBytes * 8;
      const bytes = await superblockBytes(reader, block * blockSizeBytes);
      if (bytes === undefined || !hasSuperblockMagic(bytes)) continue;
      if (superblock.get(bytes, "groupOfThisCopy") !== group || !isSuperblockChecksumRight(bytes)) continue;
      try {
        const layout = layoutOf(bytes);
        if (layout.blockSizeBytes !== blockSizeBytes) continue;
        return { layout, notes: [`the superblock is broken; its copy in group ${group} is used`] };
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
      }
    }
  }
  return undefined;
}

function noteShortDevice(source: ExtSource): void {
  const { blockCount, blockSizeBytes } = source.layout;
  const sizeBytes = blockCount * blockSizeBytes;
  if (sizeBytes <= source.reader.sizeBytes) return;
  source.note(`the file system takes ${sizeBytes} bytes, its device ends at ${source.reader.sizeBytes}`);
}

/** Up to so many groups their free blocks are summed up where the superblock cannot be trusted to have the sum. */
const summedGroupLimit = 65536;

async function infoOf(source: ExtSource, wasReplayed: boolean): Promise<FileSystemInfo> {
  const { record, features, blockCount, blockSizeBytes } = source.layout;
  if ((record.state & stateErrors) !== 0) source.note("the kernel has found errors in this file system");
  return {
    kind: kindOf(source.layout),
    label: labelOf(record),
    uuid: record.uuid,
    sizeBytes: blockCount * blockSizeBytes,
    blockSizeBytes,
    freeBytes: (await freeBlocks(source, wasReplayed)) * blockSizeBytes,
    features: featureNames(features),
    notes: source.notes,
  };
}

async function freeBlocks(source: ExtSource, wasReplayed: boolean): Promise<number> {
  const { record, features, groupCount, clusterBlocks, blockCount } = source.layout;
  const inSuperblock =
    record.freeBlockCountLow + (hasFeature(features, "64bit") ? record.freeBlockCountHigh * 2 ** 32 : 0);
  if (!wasReplayed || groupCount > summedGroupLimit || source.groupsOnDevice < groupCount)
    return Math.min(inSuperblock, blockCount);
  let clusters = 0;
  for (let group = 0; group < groupCount; group++) clusters += (await source.descriptors.of(group)).freeClusters;
  return Math.min(clusters * clusterBlocks, blockCount);
}

/** Features that ext2 and ext3 know; any other makes it ext4, as blkid tells them apart. */
const early = featureWords(["filetype", "needs_recovery", "meta_bg", "sparse_super", "large_file"]);
const binaryTreeDirectories = 0x4; // a read-only-compatible feature that was never used

function kindOf(layout: ExtLayout): string {
  const { incompatible, readOnlyCompatible } = layout.features;
  const isLate =
    (incompatible & ~early.incompatible) !== 0 ||
    (readOnlyCompatible & ~(early.readOnlyCompatible | binaryTreeDirectories)) !== 0;
  if (isLate) return "ext4";
  return hasFeature(layout.features, "has_journal") ? "ext3" : "ext2";
}
