import { Failure } from "../../base/index.ts";
import { bytes, Struct, u32, u64, u8, type StructRecord } from "../../bytes/index.ts";
import type { ChunkCursor } from "../../tree/index.ts";
import { ntfsImage, type Piece } from "../partclone/index.ts";

/** docs/formats/ntfsclone.md */
export const ntfscloneHeader = new Struct("ntfsclone image header", 50, {
  magic: [0, bytes(16)],
  majorVersion: [16, u8],
  minorVersion: [17, u8],
  clusterBytes: [18, u32],
  deviceBytes: [22, u64],
  clusterCount: [30, u64],
  usedClusters: [38, u64],
  dataAt: [46, u32],
});

const ntfscloneMagic = "\0ntfsclone-image";
const knownVersion = 10;
const clusterLimitBytes = 2 * 1024 * 1024;
const dataAtLimit = 64 * 1024;
/** NTFS counts clusters in 32 bits wherever it is written. */
const clusterCountLimit = 2 ** 32;

/** What is to come: a gap, so many clusters long, or one cluster. */
const commands = { gap: 0, cluster: 1 } as const;
const gapBytes = 9;
/** Clusters are handed out so many at a time. */
const batchClusters = 256;

export interface NtfscloneHead {
  readonly description: {
    readonly fileSystem: string;
    readonly deviceBytes: number;
    readonly blockBytes: number;
    readonly blockCount: number;
  };
}

/** Whether a stream begins as an image of ntfsclone; it stays where it is. */
export async function isNtfsclone(cursor: ChunkCursor): Promise<boolean> {
  if (!(await cursor.ensure(ntfscloneMagic.length))) return false;
  return cursor.buffer.toString("latin1", cursor.at, cursor.at + ntfscloneMagic.length) === ntfscloneMagic;
}

/** Reads the header from the beginning of a stream. Throws `damaged`, `unsupported`. */
export async function readNtfscloneHead(cursor: ChunkCursor): Promise<NtfscloneHead> {
  if (!(await cursor.ensure(ntfscloneHeader.sizeBytes))) throw truncated("in its header");
  const { majorVersion, minorVersion, clusterBytes, deviceBytes, clusterCount, dataAt } = decodedHeader(cursor);
  if (majorVersion !== knownVersion) {
    const version = `${majorVersion}.${minorVersion}`;
    throw new Failure("unsupported", `it is an image of ntfsclone of version ${version}, ${knownVersion} is known`, {
      hint: "ntfsclone --restore-image of its time reads it",
    });
  }
  const isPower = clusterBytes >= 256 && clusterBytes <= clusterLimitBytes && Number.isInteger(Math.log2(clusterBytes));
  const isPossible =
    isPower &&
    clusterCount <= clusterCountLimit &&
    deviceBytes >= clusterCount * clusterBytes &&
    dataAt >= ntfscloneHeader.sizeBytes &&
    dataAt <= dataAtLimit;
  if (!isPossible) throw new Failure("damaged", "the header of its ntfsclone image contradicts itself");
  if (!(await cursor.skip(dataAt))) throw truncated("in its header");
  return { description: { fileSystem: ntfsImage, deviceBytes, blockBytes: clusterBytes, blockCount: clusterCount } };
}

function decodedHeader({ buffer, at }: ChunkCursor): StructRecord<typeof ntfscloneHeader> {
  try {
    return ntfscloneHeader.decode(buffer, at);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new Failure("damaged", `the header of its ntfsclone image cannot be: ${error.message}`, { cause: error });
  }
}

/** The clusters of an image, in batches that belong to the stream again once the next one is asked for. */
export async function* readNtfscloneBlocks(
  cursor: ChunkCursor,
  { description }: NtfscloneHead,
): AsyncGenerator<readonly Piece[], void, void> {
  const { blockBytes, blockCount, deviceBytes } = description;
  let next = 0;
  while (next < blockCount) {
    if (!(await cursor.ensure(1))) throw truncated(`before cluster ${next} of ${blockCount}`);
    if (cursor.buffer[cursor.at] === commands.gap) {
      next += await gapLength(cursor, blockCount - next);
      continue;
    }
    // What was handed out is in the buffer, which the cursor may only exchange once the next batch is asked for.
    if (!(await cursor.ensure(1 + blockBytes))) throw truncated(`in cluster ${next} of ${blockCount}`);
    const pieces = clustersAtHand(cursor, { next, blockBytes, blockCount });
    next += pieces.length;
    yield pieces;
  }
  const lastBytes = Math.min(blockBytes, deviceBytes - blockCount * blockBytes);
  if (await cursor.ensure(1)) yield [await lastPiece(cursor, { at: blockCount * blockBytes, lastBytes })];
  if (await cursor.ensure(1)) throw new Failure("damaged", "bytes follow behind its last cluster");
}

async function gapLength(cursor: ChunkCursor, clustersLeft: number): Promise<number> {
  if (!(await cursor.ensure(gapBytes))) throw truncated("in a gap");
  const count = cursor.buffer.readBigInt64LE(cursor.at + 1);
  if (count < 1n || count > BigInt(clustersLeft)) throw new Failure("damaged", `a gap in it has ${count} clusters`);
  cursor.at += gapBytes;
  return Number(count);
}

function clustersAtHand(
  cursor: ChunkCursor,
  { next, blockBytes, blockCount }: { readonly next: number; readonly blockBytes: number; readonly blockCount: number },
): Piece[] {
  const pieces: Piece[] = [];
  const limit = Math.min(batchClusters, blockCount - next);
  while (pieces.length < limit && cursor.buffer.length - cursor.at > blockBytes) {
    const command = cursor.buffer[cursor.at];
    if (command === commands.gap) break;
    if (command !== commands.cluster) {
      throw new Failure("damaged", `what stands before cluster ${next + pieces.length} is neither a gap nor a cluster`);
    }
    const start = cursor.at + 1;
    pieces.push({ at: (next + pieces.length) * blockBytes, bytes: cursor.buffer.subarray(start, start + blockBytes) });
    cursor.at = start + blockBytes;
  }
  return pieces;
}

/** Since 10.1 what lies behind the last whole cluster follows, with the second boot sector in it. */
async function lastPiece(
  cursor: ChunkCursor,
  { at, lastBytes }: { readonly at: number; readonly lastBytes: number },
): Promise<Piece> {
  if (cursor.buffer[cursor.at] !== commands.cluster || lastBytes === 0) {
    throw new Failure("damaged", "bytes follow behind its last cluster");
  }
  if (!(await cursor.ensure(1 + lastBytes))) throw truncated("behind its last cluster");
  cursor.at += 1 + lastBytes;
  return { at, bytes: cursor.buffer.subarray(cursor.at - lastBytes, cursor.at) };
}

function truncated(where: string): Failure {
  return new Failure("damaged", `the ntfsclone image ends ${where}`);
}
