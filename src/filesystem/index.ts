import { lazily } from "../base/index.ts";

export type {
  EditableFileSystem,
  EditOptions,
  MetadataChange,
  NamePlace,
  NewContent,
  NewFile,
} from "./editable-file-system.ts";
export type { DirectoryItem, Extent, FilePlace, FileStat, FileSystem, FileSystemInfo, Problem } from "./file-system.ts";
export type { ExtKind, ExtOptions } from "./ext/index.ts";
export type { ExfatOptions } from "./exfat/index.ts";
export type { FatOptions } from "./fat/index.ts";
export { bootPlaces, readBootImages, type BootImage } from "./iso/index.ts";
export {
  exfatKind,
  extKinds,
  fatKinds,
  makeFileSystem,
  measureFileSystem,
  roomIn,
  type NewFileSystem,
} from "./make.ts";
export { filesAt, type FilesAt } from "./files-at.ts";
export { CoalescingWriter } from "./coalescing-writer.ts";
export const makeSwap = lazily(async () => (await import("./make-swap.ts")).makeSwap);
export const moveVolume = lazily(async () => (await import("./move-volume.ts")).moveVolume);
export const putTree = lazily(async () => (await import("./put-tree.ts")).putTree);
export const recognise = lazily(async () => (await import("./recognise/index.ts")).recognise);
export const leftOutOfNtfs = lazily(async () => (await import("./ntfs/index.ts")).leftOutOfNtfs);
export { readText } from "./read-text.ts";
export const refitFat = lazily(async () => (await import("./fat/index.ts")).refitFat);
export const renewVolumeId = lazily(async () => (await import("./renew-volume-id.ts")).renewVolumeId);
export { resolvePath, type ResolveOptions } from "./path.ts";
export {
  editFileSystem,
  growFileSystem,
  openFileSystem,
  planGrowth,
  planShrink,
  isDisc,
  probe,
  shrinkFileSystem,
} from "./probe.ts";
export type { GrowOptions, ShrinkOptions, SizeChange } from "./resize.ts";
export const widenExfat = lazily(async () => (await import("./exfat/index.ts")).widenExfat);
export const widenFat = lazily(async () => (await import("./fat/index.ts")).widenFat);
export type { RenewedId } from "./renew-volume-id.ts";
export type { Recognised } from "./recognise/index.ts";
export { treeOf, type WalkOptions } from "./walk.ts";
