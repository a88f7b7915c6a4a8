export { FolderSource } from "./folder-source.ts";
export type {
  Content,
  DataPiece,
  DeviceNumber,
  EntryKind,
  FileEntry,
  HardLinkEntry,
  Metadata,
  Timestamp,
  TreeEntry,
  TreeSource,
  TreeTarget,
} from "./entry.ts";
