export { copyTree } from "./copy-tree.ts";
export { ChunkCursor } from "./chunk-cursor.ts";
export { isCpioMagic, readCpio, type CpioFile } from "./cpio-reader.ts";
export { decompress } from "./decompress.ts";
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
