import { lazily } from "../base/index.ts";

// Packages and compression: few commands need them.
export const decompress = lazily(async () => (await import("./decompress.ts")).decompress);
export const decompressBytes = lazily(async () => (await import("./deb.ts")).decompressBytes);
export const readDeb = lazily(async () => (await import("./deb.ts")).readDeb);
export const tarInMemory = lazily(async () => (await import("./deb.ts")).tarInMemory);

export { copyTree } from "./copy-tree.ts";
export type { DebContents } from "./deb.ts";
export { ChunkCursor } from "./chunk-cursor.ts";
export { isCpioMagic, readCpio, type CpioFile } from "./cpio-reader.ts";
export { writeCpio, type CpioEntry } from "./cpio-writer.ts";
export { encodeLz4Frame } from "./lz4-encoder.ts";
export { FolderSource } from "./folder-source.ts";
export { FolderTarget } from "./folder-target.ts";
export type {
  Content,
  DataPiece,
  DeviceNumber,
  EntryKind,
  FileEntry,
  FileStretch,
  HardLinkEntry,
  Metadata,
  Timestamp,
  TreeEntry,
  TreeSource,
  TreeTarget,
} from "./entry.ts";
export { openChunks, standardInput, type ChunkSource } from "./file-chunks.ts";
export { openFile, openSource } from "./open-source.ts";
export { TarWriter } from "./tar-writer.ts";
export { zstdFrameBytes } from "./zstd-frame.ts";
