export { diskFiles, hasData, hiddenLimitBytes, text, type SavedDisk, type SmallFile } from "./disk-files.ts";
export type { SavedVolume } from "./lists.ts";
export { readBadSectors } from "./read-bad-sectors.ts";
export { badSectorsName, dataName, parseDataName, partitionName, partitionNumber } from "./names.ts";
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
export { readIdentities, readSavedTime, type Identity } from "./read-lists.ts";
export { dumpText, isExtended, planFromDump } from "./table-dump.ts";
