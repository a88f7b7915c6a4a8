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
