export { diskFiles, hasData, hiddenLimitBytes, text, type SavedDisk, type SmallFile } from "./disk-files.ts";
export type { SavedVolume } from "./lists.ts";
export {
  badSectorsName,
  dataName,
  numberInName,
  parseDataName,
  partimageKind,
  partitionName,
  partitionNumber,
  volumeName,
} from "./names.ts";
export { readBadSectors } from "./read-bad-sectors.ts";
export type { BackupDisk } from "./read-disk.ts";
export { isSwap, partOf, readFolder, type BackupFolder, type BackupSwap } from "./read-folder.ts";
export type { PhysicalData } from "./read-lvm.ts";
export type { BackupPart } from "./read-parts.ts";
export { readSmallFile, type FolderFiles } from "./small-files.ts";
export { readIdentities, readSavedTime, readSource, type Identity } from "./read-lists.ts";
export {
  dumpText,
  isExtended,
  lastSectorFor,
  planFromDump,
  type DumpedPartition,
  type TableDump,
} from "./table-dump.ts";
