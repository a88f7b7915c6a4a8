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
export { openDeb } from "./open-deb.ts";
export { openTar } from "./open-tar.ts";
export { TarReader, type TarReaderOptions } from "./tar-reader.ts";
export { TarWriter, type ByteSink, type TarWriterOptions } from "./tar-writer.ts";
