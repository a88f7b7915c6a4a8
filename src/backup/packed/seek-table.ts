import { Failure } from "../../base/index.ts";
import { Struct, u32, u8 } from "../../bytes/index.ts";
import { readBytes, type BlockReader } from "../../device/index.ts";

/** A part of compressed data that can be read by itself. */
export interface Frame {
  readonly packedBytes: number;
  readonly plainBytes: number;
}

/** The places of all frames. */
export interface SeekTable {
  readonly frames: readonly PlacedFrame[];
  readonly plainBytes: number;
}

export interface PlacedFrame extends Frame {
  readonly packedAt: number;
  readonly plainAt: number;
}

// zstd's seekable format 0.1.0, contrib/seekable_format/zstd_seekable_compression_format.md
export const seekTableHead = new Struct("zstd seek table", 8, { magic: [0, u32], lengthBytes: [4, u32] });
export const seekTableEntry = new Struct("zstd seek table entry", 8, { packedBytes: [0, u32], plainBytes: [4, u32] });
export const seekTableFoot = new Struct("zstd seek table footer", 9, {
  frameCount: [0, u32],
  descriptor: [4, u8],
  magic: [5, u32],
});

const skippableMagic = 0x184d2a5e;
const seekableMagic = 0x8f92eab1;
const checksumFlag = 0x80;
const reservedBits = 0x7c;
/** Of the format: ZSTD_SEEKABLE_MAXFRAMES. */
const frameCountLimit = 0x8000000;
/** More than this in one frame is no random access. */
export const plainFrameLimitBytes = 64 * 1024 * 1024;

/** The frame behind the last one that tells where each begins; other readers skip it. */
export function encodeSeekTable(frames: readonly Frame[]): Uint8Array {
  const lengthBytes = frames.length * seekTableEntry.sizeBytes + seekTableFoot.sizeBytes;
  const bytes = new Uint8Array(seekTableHead.sizeBytes + lengthBytes);
  seekTableHead.patch(bytes, { magic: skippableMagic, lengthBytes });
  frames.forEach((frame, n) => {
    seekTableEntry.patch(bytes, frame, seekTableHead.sizeBytes + n * seekTableEntry.sizeBytes);
  });
  const foot = { frameCount: frames.length, descriptor: 0, magic: seekableMagic };
  seekTableFoot.patch(bytes, foot, bytes.length - seekTableFoot.sizeBytes);
  return bytes;
}

/** The seek table at the end of compressed data; undefined where there is none. Throws `damaged` where it cannot be. */
export async function readSeekTable(reader: BlockReader): Promise<SeekTable | undefined> {
  const footAt = reader.sizeBytes - seekTableFoot.sizeBytes;
  if (footAt < seekTableHead.sizeBytes) return undefined;
  const foot = seekTableFoot.decode(await readBytes(reader, footAt, seekTableFoot.sizeBytes));
  if (foot.magic !== seekableMagic) return undefined;
  const entryBytes = seekTableEntry.sizeBytes + ((foot.descriptor & checksumFlag) === 0 ? 0 : 4);
  const headAt = footAt - foot.frameCount * entryBytes - seekTableHead.sizeBytes;
  if (headAt < 0 || foot.frameCount > frameCountLimit || (foot.descriptor & reservedBits) !== 0) throw damaged();
  const bytes = await readBytes(reader, headAt, footAt - headAt);
  const { magic, lengthBytes } = seekTableHead.decode(bytes);
  if (magic !== skippableMagic || lengthBytes !== reader.sizeBytes - headAt - seekTableHead.sizeBytes) throw damaged();
  const frames = Array.from({ length: foot.frameCount }, (_, n) => {
    return seekTableEntry.decode(bytes, seekTableHead.sizeBytes + n * entryBytes);
  });
  const table = placeFrames(frames, headAt);
  if (table === "contradicts") throw damaged();
  return table === "too large" ? undefined : table;
}

/** Frames one behind the other that end at a byte. */
export function placeFrames(all: readonly Frame[], endAt: number): SeekTable | "contradicts" | "too large" {
  const frames: PlacedFrame[] = [];
  let [packedAt, plainAt] = [0, 0];
  for (const { packedBytes, plainBytes } of all) {
    frames.push({ packedBytes, plainBytes, packedAt, plainAt });
    packedAt += packedBytes;
    plainAt += plainBytes;
  }
  if (packedAt !== endAt) return "contradicts";
  const isLarge = all.some(({ packedBytes, plainBytes }) => Math.max(packedBytes, plainBytes) > plainFrameLimitBytes);
  return isLarge ? "too large" : { frames, plainBytes: plainAt };
}

function damaged(): Failure {
  return new Failure("damaged", "the seek table at the end of its zstd data contradicts itself");
}
