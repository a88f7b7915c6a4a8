import { Failure } from "../base/index.ts";
import type { BlockReader } from "../device/index.ts";
import { openFileSystem, probe, recognise, type FileSystem } from "../filesystem/index.ts";

/** What a partition holds, and how it is saved. */
export type Content = ImageContent | SwapContent | PlainContent;

interface Labelled {
  /** As blkid calls it: `ext4`, `vfat`, `swap`, `ntfs`; empty where nothing is known. */
  readonly type: string;
  readonly label: string;
  readonly uuid: string | undefined;
}

/** A file system of which only what it uses is saved. */
export interface ImageContent extends Labelled {
  readonly saved: "image";
  /** Clonezilla's name for it in file names: `ext4`, `vfat`. */
  readonly tag: string;
  /** partclone's name for it in headers: `EXTFS`. */
  readonly imageName: string;
  readonly blockBytes: number;
  readonly sizeBytes: number;
  /** What the header says of the device; more than the blocks of NTFS, whose second boot sector is behind them. */
  readonly deviceBytes?: number;
  readonly fileSystem: FileSystem;
}

/** Swap, which is made anew. */
export interface SwapContent extends Labelled {
  readonly saved: "swap";
}

/** Anything else, saved from the first to the last byte. */
export interface PlainContent extends Labelled {
  readonly saved: "whole";
  /** What its owner should know: that it is of no use without other devices. */
  readonly warning?: string;
}

/** Kinds of file systems that partclone has images for. */
const imageKinds: Readonly<
  Record<string, { readonly type: string; readonly tag: string; readonly imageName: string }>
> = {
  ext2: { type: "ext2", tag: "ext2", imageName: "EXTFS" },
  ext3: { type: "ext3", tag: "ext3", imageName: "EXTFS" },
  ext4: { type: "ext4", tag: "ext4", imageName: "EXTFS" },
  fat12: { type: "vfat", tag: "fat12", imageName: "FAT12" },
  fat16: { type: "vfat", tag: "vfat", imageName: "FAT16" },
  fat32: { type: "vfat", tag: "vfat", imageName: "FAT32" },
  exfat: { type: "exfat", tag: "exfat", imageName: "EXFAT" },
  xfs: { type: "xfs", tag: "xfs", imageName: "XFS" },
  ntfs: { type: "ntfs", tag: "ntfs", imageName: "NTFS" },
  btrfs: { type: "btrfs", tag: "btrfs", imageName: "BTRFS" },
};

/** partclone counts these in sectors. */
const countedInSectors: ReadonlySet<string> = new Set(["FAT12", "FAT16", "FAT32", "EXFAT"]);
const sectorBytes = 512;
const blkidTypes: Readonly<Record<string, string>> = { luks: "crypto_LUKS", lvm2: "LVM2_member", iso9660: "iso9660" };

/** Looks at what a partition holds. The file system in it, if there is one, is the caller's to close. */
export async function contentOf(reader: BlockReader): Promise<Content> {
  if ((await probe(reader)) === undefined) return recognisedContent(reader);
  const fileSystem = await openFileSystem(reader);
  const { kind, label, uuid, sizeBytes, blockSizeBytes, imageBlockBytes } = fileSystem.info;
  const known = imageKinds[kind];
  if (known === undefined || sizeBytes > reader.sizeBytes) {
    await fileSystem[Symbol.asyncDispose]();
    if (known === undefined) return { saved: "whole", type: blkidTypes[kind] ?? kind, label, uuid };
    throw new Failure(
      "damaged",
      `it holds ${kind} of ${sizeBytes} bytes, the partition ends at ${reader.sizeBytes}: the file system is cut off`,
    );
  }
  const { imageName } = known;
  const blockBytes = imageBlockBytes ?? (countedInSectors.has(imageName) ? sectorBytes : blockSizeBytes);
  const device = imageName === "NTFS" ? { deviceBytes: reader.sizeBytes } : {};
  return { saved: "image", ...known, label, uuid, blockBytes, sizeBytes, ...device, fileSystem };
}

/** A machine that sleeps in its swap wakes from what is there: that is saved whole. */
async function recognisedContent(reader: BlockReader): Promise<Content> {
  const found = await recognise(reader);
  if (found === undefined) return { saved: "whole", type: "", label: "", uuid: undefined };
  const { kind, label, uuid, whyNotRead: why } = found;
  const isEmptySwap = kind === "swap" && (found.usedBytes ?? 1) === 0 && found.problems.length === 0;
  const common = { type: blkidTypes[kind] ?? kind, label, uuid };
  if (isEmptySwap) return { saved: "swap", ...common };
  return {
    saved: "whole",
    ...common,
    ...(why === undefined ? {} : { warning: `it is ${kind}, and ${why}: it is saved whole` }),
  };
}
