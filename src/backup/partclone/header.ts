import { crc32 } from "node:zlib";
import { Failure } from "../../base/index.ts";
import { ascii, Struct, u16, u32, u64, u8 } from "../../bytes/index.ts";
import { checksumCodes, checksumKindOf, type ChecksumKind } from "./checksum.ts";

/** What both versions have at the same place. docs/formats/partclone.md */
export const imageMark = new Struct("partclone image", 34, {
  magic: [0, ascii(15)],
  version: [30, ascii(4)],
});

export const imageHeader = new Struct("partclone image header, version 2", 110, {
  magic: [0, ascii(16)],
  tool: [16, ascii(14)],
  version: [30, ascii(4)],
  byteOrder: [34, u16],
  fileSystem: [36, ascii(16)],
  deviceBytes: [52, u64],
  blockCount: [60, u64],
  superblockUsedBlocks: [68, u64],
  usedBlocks: [76, u64],
  blockBytes: [84, u32],
  optionsBytes: [88, u32],
  optionsVersion: [92, u16],
  cpuBits: [94, u16],
  checksumCode: [96, u16],
  checksumBytes: [98, u16],
  stripBlocks: [100, u32],
  reseed: [104, u8],
  bitmapForm: [105, u8],
  crc: [106, u32],
});

export const imageHeaderV1 = new Struct("partclone image header, version 1", 4160, {
  magic: [0, ascii(15)],
  fileSystem: [15, ascii(15)],
  version: [30, ascii(4)],
  blockBytes: [36, u32],
  deviceBytes: [40, u64],
  blockCount: [48, u64],
  usedBlocks: [56, u64],
});

/** What images of NTFS are called, from which its second boot sector is left out. */
export const ntfsImage = "NTFS";
export const imageMagic = "partclone-image";
const nativeOrder = 0xc0de;
const optionsBytes = 18;
const blockLimitBytes = 64 * 1024 * 1024;
/** Bitmaps take a bit a block; what partclone images are made of has 32-bit block numbers, but for ext4 above 16 TiB. */
export const blockCountLimit = 2 ** 32 - 1;

const bitmapForms = new Map([
  [0, "none"],
  [1, "bits"],
  [8, "bytes"],
] as const);

export type BitmapForm = "none" | "bits" | "bytes";

/** What an image says of itself, either version. */
export interface ImageDescription {
  readonly version: 1 | 2;
  /** The partclone that wrote it; empty in version 1. */
  readonly tool: string;
  /** `EXTFS`, `FAT32`, … */
  readonly fileSystem: string;
  readonly deviceBytes: number;
  readonly blockBytes: number;
  readonly blockCount: number;
  readonly checksum: ChecksumKind;
  /** Used blocks that one checksum covers; 0 without checksums. */
  readonly stripBlocks: number;
  /** Each checksum begins anew. */
  readonly reseed: boolean;
  readonly bitmapForm: BitmapForm;
}

/** The CRC-32 of partclone: without the inversion at its end. */
export function rawCrc32(bytes: Uint8Array): number {
  return ~crc32(bytes) >>> 0;
}

/** Decodes a header of version 2, whose CRC must be right. Throws `damaged`, `unsupported`. */
export function decodeHeader(bytes: Uint8Array): ImageDescription {
  if (rawCrc32(bytes.subarray(0, imageHeader.sizeBytes - 4)) !== imageHeader.get(bytes, "crc")) {
    throw new Failure("damaged", "the checksum of the partclone header is wrong");
  }
  const header = decoded(() => imageHeader.decode(bytes));
  if (header.byteOrder !== nativeOrder) {
    throw new Failure("unsupported", "the partclone image was written by a machine of another byte order");
  }
  if (header.optionsBytes !== optionsBytes || header.optionsVersion !== 2) {
    throw new Failure("unsupported", `the partclone image has options of version ${header.optionsVersion}, 2 is known`);
  }
  const checksum = checksumKindOf(header.checksumCode);
  const bitmapForm = bitmapForms.get(header.bitmapForm as 0 | 1 | 8);
  if (checksum === undefined || bitmapForm === undefined) {
    const what =
      checksum === undefined ? `checksums of kind ${header.checksumCode}` : `a bitmap of kind ${header.bitmapForm}`;
    throw new Failure("unsupported", `the partclone image has ${what}, which is not known`);
  }
  if (header.checksumBytes !== checksumCodes[checksum].sizeBytes) {
    throw new Failure(
      "damaged",
      `the partclone header says ${header.checksumBytes} bytes for a checksum (${checksum})`,
    );
  }
  if (checksum !== "none" && header.stripBlocks === 0) {
    throw new Failure("damaged", "the partclone header says that a checksum covers 0 blocks");
  }
  const { tool, fileSystem, deviceBytes, blockBytes, blockCount, stripBlocks } = header;
  const reseed = header.reseed !== 0;
  return sane({
    version: 2,
    tool,
    fileSystem,
    deviceBytes,
    blockBytes,
    blockCount,
    checksum,
    stripBlocks,
    reseed,
    bitmapForm,
  });
}

/** Decodes a header of version 1, which has no checksum. Throws `damaged`, `unsupported`. */
export function decodeHeaderV1(bytes: Uint8Array): ImageDescription {
  const { fileSystem, deviceBytes, blockBytes, blockCount } = decoded(() => imageHeaderV1.decode(bytes));
  const told = { version: 1, tool: "", fileSystem, deviceBytes, blockBytes, blockCount } as const;
  return sane({ ...told, checksum: "first-byte", stripBlocks: 1, reseed: false, bitmapForm: "bytes" });
}

/** Writes a header of version 2 with bits and CRC-32. */
export function encodeHeader(
  image: Pick<ImageDescription, "tool" | "fileSystem" | "deviceBytes" | "blockBytes" | "blockCount" | "stripBlocks"> & {
    readonly usedBlocks: number;
  },
): Uint8Array {
  const bytes = imageHeader.encode({
    ...image,
    magic: imageMagic,
    version: "0002",
    byteOrder: nativeOrder,
    superblockUsedBlocks: image.usedBlocks,
    optionsBytes,
    optionsVersion: 2,
    cpuBits: 64,
    checksumCode: checksumCodes.crc32.code,
    checksumBytes: checksumCodes.crc32.sizeBytes,
    reseed: 1,
    bitmapForm: 1,
  });
  imageHeader.patch(bytes, { crc: rawCrc32(bytes.subarray(0, imageHeader.sizeBytes - 4)) });
  return bytes;
}

function decoded<T>(decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new Failure("damaged", `the partclone header cannot be: ${error.message}`, { cause: error });
  }
}

function sane(image: ImageDescription): ImageDescription {
  const { blockBytes, blockCount, deviceBytes, version } = image;
  if (blockBytes < 1 || blockBytes > blockLimitBytes) {
    throw new Failure("damaged", `the partclone header says blocks of ${blockBytes} bytes`);
  }
  if (blockCount > blockCountLimit) {
    throw new Failure(
      "unsupported",
      `the partclone image has ${blockCount} blocks, at most ${blockCountLimit} are read`,
    );
  }
  // Version 1 says less than there is for some file systems.
  if (deviceBytes < blockBytes * blockCount && version === 2) {
    throw new Failure("damaged", `the partclone header says ${blockCount} blocks for ${deviceBytes} bytes`);
  }
  return { ...image, deviceBytes: Math.max(deviceBytes, blockBytes * blockCount) };
}
