import { crc32c } from "../../bytes/index.ts";
import { fileRuns } from "./block-runs.ts";
import { damaged } from "../damaged.ts";
import type { FileRun } from "./file-run.ts";
import type { ExtInode } from "./ext-inode.ts";
import { readInode } from "./inode-reader.ts";
import { journalBlockType, journalFeature, journalMagic, journalSuperblock } from "./journal-format.ts";
import type { ExtSource } from "./source.ts";

/** What the journal's own superblock says, and the way from its blocks to the device's. */
export interface JournalLog {
  readonly source: ExtSource;
  readonly firstBlock: number;
  /** One past the last block of the ring. */
  readonly endBlock: number;
  /** Where the first transaction that may have to be replayed starts; 0 in a clean journal. */
  readonly startBlock: number;
  /** The number of that transaction, or of the next one. */
  readonly firstSequence: number;
  readonly uuid: string;
  readonly has64bit: boolean;
  readonly checksums: "none" | "v2" | "v3";
  readonly checksumSeed: number;
  readonly runs: readonly FileRun[];
}

const known =
  journalFeature.revocation |
  journalFeature["64bit"] |
  journalFeature.asynchronousCommit |
  journalFeature.checksumV2 |
  journalFeature.checksumV3 |
  journalFeature.fastCommit;
/** Where the journal's superblock does not say how many blocks are for fast commits. */
const fastCommitBlocksDefault = 256;
const uuidAt = journalSuperblock.fields.uuid[0];
const checksumAt = journalSuperblock.fields.checksum[0];

/** Opens the journal of a file system that has it inside. Throws `damaged` where it is not one. */
export async function openJournal(source: ExtSource): Promise<JournalLog> {
  const inode = await readInode(source, source.layout.record.journalInode);
  if (inode.kind !== "file") throw damaged("the journal", `inode ${inode.id} is a ${inode.kind}`);
  const runs = await wholeFileRuns(source, inode);
  const bytes = await logBlock(source, runs, 0);
  const record = journalSuperblock.decode(bytes);
  const isSecond = record.blockType === journalBlockType.superblockV2;
  if (record.magic !== journalMagic || !(isSecond || record.blockType === journalBlockType.superblockV1)) {
    throw damaged("the journal", "its superblock is not one");
  }
  const features = isSecond ? record.incompatible : 0;
  if ((features & ~known) !== 0) throw damaged("the journal", `it uses unknown features 0x${features.toString(16)}`);
  const mapped = runs.reduce((sum, run) => sum + run.count, 0);
  const hasFastCommits = (features & journalFeature.fastCommit) !== 0;
  const fastBlocks = hasFastCommits ? record.fastCommitBlocks || fastCommitBlocksDefault : 0;
  const endBlock = record.blockCount - fastBlocks;
  if (
    record.blockSize !== source.layout.blockSizeBytes ||
    record.blockCount > mapped ||
    record.firstBlock < 1 ||
    record.firstBlock >= endBlock ||
    (record.startBlock !== 0 && (record.startBlock < record.firstBlock || record.startBlock >= endBlock))
  ) {
    throw damaged("the journal", "its superblock contradicts itself");
  }
  const checksums = checksumsOf(features);
  if (checksums !== "none" && journalSuperblockChecksum(bytes) !== record.checksum) {
    throw damaged("the journal", "the checksum of its superblock is wrong");
  }
  return {
    source,
    firstBlock: record.firstBlock,
    endBlock,
    startBlock: record.startBlock,
    firstSequence: record.firstSequence,
    uuid: record.uuid,
    has64bit: (features & journalFeature["64bit"]) !== 0,
    checksums,
    checksumSeed: crc32c(bytes, 0xffffffff, uuidAt, uuidAt + 16),
    runs,
  };
}

function checksumsOf(features: number): JournalLog["checksums"] {
  if ((features & journalFeature.checksumV3) !== 0) return "v3";
  return (features & journalFeature.checksumV2) !== 0 ? "v2" : "none";
}

/** The checksum of the journal's superblock, its own field taken as zero. */
export function journalSuperblockChecksum(bytes: Uint8Array): number {
  const copy = Uint8Array.from(bytes.subarray(0, journalSuperblock.sizeBytes));
  copy.fill(0, checksumAt, checksumAt + 4);
  return crc32c(copy);
}

/** The journal has no holes: every block of it stands somewhere. */
async function wholeFileRuns(source: ExtSource, inode: ExtInode): Promise<FileRun[]> {
  const runs: FileRun[] = [];
  let next = 0;
  for await (const run of fileRuns(source, inode)) {
    if (run.logical !== next) throw damaged("the journal", `its block ${next} is missing`);
    runs.push(run);
    next += run.count;
  }
  return runs;
}

/** Where a block of the journal stands on the device, in blocks. */
export function logBlockAt(runs: readonly FileRun[], logical: number): number {
  let low = 0;
  let high = runs.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((runs[middle]?.logical ?? Infinity) <= logical) low = middle;
    else high = middle - 1;
  }
  const run = runs[low];
  if (run === undefined || logical >= run.logical + run.count)
    throw damaged("the journal", `it has no block ${logical}`);
  return run.physical + (logical - run.logical);
}

/** One block of the journal. */
export function logBlock(source: ExtSource, runs: readonly FileRun[], logical: number): Promise<Uint8Array> {
  return source.block(logBlockAt(runs, logical), "the journal");
}
