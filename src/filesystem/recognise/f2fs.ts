import { array, bytes, formatSize, Struct, u16, u32, u8, uuid } from "../../bytes/index.ts";
import { readBytes, type BlockReader } from "../../device/index.ts";
import { claimed64 } from "../claimed-count.ts";
import {
  bytesAt,
  damaged,
  namesOfBits,
  nothingKnown,
  paddedText16,
  Remarks,
  uuidOrNone,
  type Recognised,
  type Recogniser,
} from "./recognised.ts";
import { rawCrc32 } from "./raw-crc32.ts";

const magic = 0xf2f52010;
/** In the first block, and again in the second, whose size is told in it. */
const superblockAt = 1024;
const blockSizeLog2s = [12, 13, 14, 15, 16];

/** Linux include/linux/f2fs_fs.h, struct f2fs_super_block. */
export const f2fsSuperblock = new Struct("f2fs superblock", 3072, {
  magic: [0, u32],
  major: [4, u16],
  minor: [6, u16],
  blockSizeLog2: [16, u32],
  segmentBlocksLog2: [20, u32],
  checksumOffset: [32, u32],
  blockCount: [36, claimed64],
  checkpointBlock: [76, u32],
  uuid: [108, uuid],
  label: [124, bytes(1024)],
  features: [2180, u32],
  devices: [2201, array(bytes(68), 8)],
});

/** The same, struct f2fs_checkpoint. */
export const f2fsCheckpoint = new Struct("f2fs checkpoint", 192, {
  version: [0, claimed64],
  userBlocks: [8, claimed64],
  validBlocks: [16, claimed64],
  flags: [132, u32],
  blockCount: [136, u32],
  checksumOffset: [164, u32],
});

/** The same, one device of several. */
export const f2fsDevice = new Struct("f2fs device", 68, {
  firstOfPath: [0, u8],
  segmentCount: [64, u32],
});

type Superblock = ReturnType<typeof f2fsSuperblock.decode>;
type Checkpoint = ReturnType<typeof f2fsCheckpoint.decode>;

const checksumFeature = 0x800;
const featureNames = {
  0x1: "encrypt",
  0x8: "extra_attr",
  0x10: "project_quota",
  0x20: "inode_checksum",
  0x40: "flexible_inline_xattr",
  0x80: "quota",
  0x100: "inode_crtime",
  0x200: "lost_found",
  0x400: "verity",
  [checksumFeature]: "sb_checksum",
  0x1000: "casefold",
  0x2000: "compression",
  0x4000: "ro",
  2: "blkzoned",
};

/** Bits of a checkpoint's `flags`. */
const checkpointFlags = { unmounted: 0x1, error: 0x8, wantsCheck: 0x10 } as const;

export const f2fs: Recogniser = { first: recogniseF2fs, second: recogniseBySecond };

async function recogniseF2fs(reader: BlockReader): Promise<Recognised | undefined> {
  const raw = await signedAt(reader, superblockAt);
  if (raw === undefined) return undefined;
  const remarks = new Remarks();
  const second = await findSecond(reader);
  if (isSound(raw)) {
    if (second === undefined) remarks.warn("the second f2fs superblock is damaged");
    return described(reader, f2fsSuperblock.decode(raw), remarks);
  }
  if (second !== undefined) {
    remarks.error("the f2fs superblock is damaged: the second one is used");
    return described(reader, second, remarks);
  }
  remarks.error("both f2fs superblocks are damaged");
  return nothingKnown("f2fs", reader, remarks);
}

async function recogniseBySecond(reader: BlockReader): Promise<Recognised | undefined> {
  const second = await findSecond(reader);
  if (second === undefined) return undefined;
  const remarks = new Remarks();
  remarks.error("the f2fs superblock is gone: the second one is used");
  return described(reader, second, remarks);
}

async function findSecond(reader: BlockReader): Promise<Superblock | undefined> {
  for (const log2 of blockSizeLog2s) {
    const raw = await signedAt(reader, 2 ** log2 + superblockAt);
    if (raw !== undefined && f2fsSuperblock.get(raw, "blockSizeLog2") === log2 && isSound(raw)) {
      return f2fsSuperblock.decode(raw);
    }
  }
  return undefined;
}

async function signedAt(reader: BlockReader, at: number): Promise<Uint8Array | undefined> {
  const raw = await bytesAt(reader, at, f2fsSuperblock.sizeBytes);
  return raw !== undefined && f2fsSuperblock.get(raw, "magic") === magic ? raw : undefined;
}

/** Whether a superblock's numbers can be, and its checksum matches where it has one. */
function isSound(raw: Uint8Array): boolean {
  const { blockSizeLog2, segmentBlocksLog2, blockCount, features, checksumOffset } = f2fsSuperblock.decode(raw);
  if (!blockSizeLog2s.includes(blockSizeLog2) || segmentBlocksLog2 > 16 || blockCount === 0) return false;
  if ((features & checksumFeature) === 0) return true;
  if (checksumOffset + 4 > raw.length) return false;
  return isSealed(raw, checksumOffset);
}

function isSealed(raw: Uint8Array, at: number): boolean {
  const stored = new DataView(raw.buffer, raw.byteOffset, raw.length).getUint32(at, true);
  return rawCrc32(raw.subarray(0, at), magic) === stored;
}

async function described(reader: BlockReader, superblock: Superblock, remarks: Remarks): Promise<Recognised> {
  const blockSizeBytes = 2 ** superblock.blockSizeLog2;
  const checkpoint = await remarks.attempt(() => currentCheckpoint(reader, superblock, remarks));
  if (checkpoint !== undefined) {
    const { flags } = checkpoint;
    if ((flags & checkpointFlags.unmounted) === 0) remarks.note("not unmounted cleanly");
    if ((flags & checkpointFlags.error) !== 0) remarks.error("f2fs is marked as having errors");
    if ((flags & checkpointFlags.wantsCheck) !== 0) remarks.warn("f2fs is marked for fsck.f2fs");
  }
  const devices = superblock.devices.map((device) => f2fsDevice.decode(device));
  const deviceCount = devices.filter(({ firstOfPath }) => firstOfPath !== 0).length;
  const allBytes = superblock.blockCount * blockSizeBytes;
  // Of several devices, the first one tells of all; how much of which is in use it does not.
  const isOneOfMany = deviceCount > 1;
  const { userBlocks = 0, validBlocks = 0 } = checkpoint ?? {};
  const isCounted = checkpoint !== undefined && !isOneOfMany;
  if (isOneOfMany) {
    const used = checkpoint === undefined ? "" : `: ${formatSize(validBlocks * blockSizeBytes)} of it are used`;
    remarks.note(`the first of ${deviceCount} devices of an f2fs of ${formatSize(allBytes)}${used}`);
  }
  return {
    kind: "f2fs",
    label: paddedText16(superblock.label),
    uuid: uuidOrNone(superblock.uuid),
    sizeBytes: isOneOfMany ? Math.min(allBytes, reader.sizeBytes) : allBytes,
    blockSizeBytes,
    usedBytes: isCounted ? validBlocks * blockSizeBytes : undefined,
    freeBytes: isCounted ? (userBlocks - validBlocks) * blockSizeBytes : undefined,
    features: namesOfBits(superblock.features, featureNames),
    ...remarks.told,
  };
}

/** The newer of the two checkpoints, which are written in turn. Throws `damaged` where neither is whole. */
async function currentCheckpoint(reader: BlockReader, superblock: Superblock, remarks: Remarks): Promise<Checkpoint> {
  const { checkpointBlock, segmentBlocksLog2 } = superblock;
  const [first, second] = [
    await readCheckpoint(reader, superblock, checkpointBlock),
    await readCheckpoint(reader, superblock, checkpointBlock + 2 ** segmentBlocksLog2),
  ];
  const newest = first !== undefined && first.version >= (second?.version ?? 0) ? first : second;
  if (newest === undefined) throw damaged("what f2fs has in use", "neither checkpoint is whole");
  // mkfs.f2fs and a writer that was cut off leave one that is not whole.
  if (first === undefined || second === undefined) remarks.note("one of the two checkpoints is not whole");
  return newest;
}

/** A checkpoint whose first and last block are sound and of one version. */
async function readCheckpoint(
  reader: BlockReader,
  superblock: Superblock,
  block: number,
): Promise<Checkpoint | undefined> {
  const head = await readCheckpointBlock(reader, superblock, block);
  if (head === undefined) return undefined;
  const { blockCount } = head;
  if (blockCount < 2 || blockCount > 2 ** superblock.segmentBlocksLog2) return undefined;
  const tail = await readCheckpointBlock(reader, superblock, block + blockCount - 1);
  return tail?.version === head.version ? head : undefined;
}

async function readCheckpointBlock(
  reader: BlockReader,
  { blockSizeLog2 }: Superblock,
  block: number,
): Promise<Checkpoint | undefined> {
  const blockBytes = 2 ** blockSizeLog2;
  if ((block + 1) * blockBytes > reader.sizeBytes) return undefined;
  const raw = await readBytes(reader, block * blockBytes, blockBytes);
  const checkpoint = f2fsCheckpoint.decode(raw);
  const { checksumOffset } = checkpoint;
  if (checksumOffset < f2fsCheckpoint.sizeBytes || checksumOffset + 4 > blockBytes) return undefined;
  const stored = new DataView(raw.buffer).getUint32(checksumOffset, true);
  let made = rawCrc32(raw.subarray(0, checksumOffset), magic);
  // What follows the checksum, if anything does, is in it too.
  if (checksumOffset + 4 < blockBytes) made = rawCrc32(raw.subarray(checksumOffset + 4), made);
  return made === stored ? checkpoint : undefined;
}
