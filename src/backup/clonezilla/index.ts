export { diskFiles, hasData, hiddenLimitBytes, text, type SavedDisk, type SmallFile } from "./disk-files.ts";
export type { SavedVolume } from "./lists.ts";
export { badSectorsName, dataName, parseDataName, partitionName, partitionNumber } from "./names.ts";
export { readBadSectors } from "./read-bad-sectors.ts";
export {
  partOf,
  readFolder,
  readSmallFile,
  type BackupDisk,
  type BackupFolder,
  type BackupPart,
  type BackupSwap,
  type FolderFiles,
} from "./read-folder.ts";
export { readIdentities, readSavedTime, readSource, type Identity } from "./read-lists.ts";
export {
  dumpText,
  isExtended,
  lastSectorFor,
  planFromDump,
  type DumpedPartition,
  type TableDump,
} from "./table-dump.ts";
