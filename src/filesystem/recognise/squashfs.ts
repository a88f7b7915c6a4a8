import { Struct, u16, u16be, u32, u32be, u8 } from "../../bytes/index.ts";
import type { BlockReader } from "../../device/index.ts";
import { claimed64, claimed64be } from "../claimed-count.ts";
import { bytesAt, isPowerOfTwo, Remarks, type Recognised, type Recogniser } from "./recognised.ts";

const magic = 0x73717368; // "hsqs" on disk

/** Linux fs/squashfs/squashfs_fs.h, struct squashfs_super_block: version 4, little-endian. */
export const squashfsSuperblock = new Struct("squashfs superblock", 96, {
  magic: [0, u32],
  inodeCount: [4, u32],
  makeTime: [8, u32],
  blockSizeBytes: [12, u32],
  fragmentCount: [16, u32],
  compression: [20, u16],
  blockSizeLog2: [22, u16],
  flags: [24, u16],
  idCount: [26, u16],
  major: [28, u16],
  minor: [30, u16],
  rootInode: [32, claimed64],
  usedBytes: [40, claimed64],
  idTable: [48, claimed64],
  attributeTable: [56, claimed64],
  inodeTable: [64, claimed64],
  directoryTable: [72, claimed64],
  fragmentTable: [80, claimed64],
  exportTable: [88, claimed64],
});

/** squashfs-tools, squashfs_compat.h, struct squashfs_super_block_3: versions 1 to 3, of either byte order. */
export const oldSquashfsSuperblock = new Struct("squashfs 3 superblock", 119, {
  magic: [0, u32],
  usedBytesBefore3: [8, u32],
  major: [28, u16],
  minor: [30, u16],
  blockSizeLog2: [34, u16],
  flags: [36, u8],
  blockSizeBytes: [51, u32],
  usedBytes: [63, claimed64],
});

export const oldBigSquashfsSuperblock = new Struct("big-endian squashfs 3 superblock", 119, {
  magic: [0, u32be],
  usedBytesBefore3: [8, u32be],
  major: [28, u16be],
  minor: [30, u16be],
  blockSizeLog2: [34, u16be],
  flags: [36, u8],
  blockSizeBytes: [51, u32be],
  usedBytes: [63, claimed64be],
});

const compressions: readonly (string | undefined)[] = [undefined, "gzip", "lzma", "lzo", "xz", "lz4", "zstd"];

/** Squashfs is padded to this so that a loop device has whole pages. */
const paddingBytes = 4096;

export const squashfs: Recogniser = { first: recogniseSquashfs };

async function recogniseSquashfs(reader: BlockReader): Promise<Recognised | undefined> {
  const bytes = await bytesAt(reader, 0, oldSquashfsSuperblock.sizeBytes);
  if (bytes === undefined) return undefined;
  if (oldBigSquashfsSuperblock.get(bytes, "magic") === magic) {
    return describedOld(oldBigSquashfsSuperblock.decode(bytes), "big-endian", reader);
  }
  if (squashfsSuperblock.get(bytes, "magic") !== magic) return undefined;
  const { major } = squashfsSuperblock.decode(bytes);
  if (major < 4) return describedOld(oldSquashfsSuperblock.decode(bytes), "little-endian", reader);
  return described(bytes, reader);
}

function described(bytes: Uint8Array, reader: BlockReader): Recognised {
  const remarks = new Remarks();
  const { major, minor, compression, blockSizeBytes, blockSizeLog2, ...record } = squashfsSuperblock.decode(bytes);
  if (major !== 4 || minor !== 0) remarks.note(`squashfs ${major}.${minor}, 4.0 is known`);
  const packer = compressions[compression];
  if (packer === undefined) remarks.note(`its compression ${compression} is not known`);
  if (blockSizeBytes !== 2 ** blockSizeLog2 || !isPowerOfTwo(blockSizeBytes, 4096, 2 ** 20)) {
    remarks.error(`the squashfs superblock has blocks of ${blockSizeBytes} bytes and of 2^${blockSizeLog2}`);
  }
  for (const table of ["inodeTable", "directoryTable", "idTable"] as const) {
    if (record[table] >= record.usedBytes) remarks.error(`the ${table} of squashfs is behind its end`);
  }
  return {
    ...common(record.usedBytes, reader),
    blockSizeBytes,
    features: packer === undefined ? [] : [packer],
    notes: [...(packer === undefined ? [] : [`compressed with ${packer}`]), ...remarks.notes],
    problems: remarks.problems,
  };
}

interface OldRecord {
  readonly major: number;
  readonly minor: number;
  readonly usedBytesBefore3: number;
  readonly usedBytes: number;
  readonly blockSizeBytes: number;
}

function describedOld(record: OldRecord, order: string, reader: BlockReader): Recognised {
  const { major, minor } = record;
  const isThird = major === 3;
  return {
    ...common(isThird ? record.usedBytes : record.usedBytesBefore3, reader),
    blockSizeBytes: isThird ? record.blockSizeBytes : 65_536,
    features: [],
    notes: [`squashfs ${major}.${minor}, ${order}, which Linux since 2.6.29 cannot mount`],
    problems: [],
  };
}

function common(
  usedBytes: number,
  reader: BlockReader,
): Pick<Recognised, "kind" | "label" | "uuid" | "sizeBytes" | "usedBytes" | "freeBytes"> {
  const padded = Math.ceil(usedBytes / paddingBytes) * paddingBytes;
  const sizeBytes = usedBytes <= reader.sizeBytes ? Math.min(padded, reader.sizeBytes) : usedBytes;
  return { kind: "squashfs", label: "", uuid: undefined, sizeBytes, usedBytes, freeBytes: 0 };
}
