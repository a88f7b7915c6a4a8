export { checkDisk, type CheckedPart, type CheckOptions, type CheckReport, type DiskProblem } from "./check-disk.ts";
export {
  createDisk,
  type CreatedDisk,
  type CreateDiskRequest,
  type FileSystemRequest,
  type NewPartitionRequest,
} from "./create-disk.ts";
export { prepareDemonstration, type Demonstration } from "./demonstration.ts";
export { getFiles, type GetTarget, type GotFiles } from "./get-files.ts";
export { listFiles, type ListedFolder, type ListItem } from "./list-files.ts";
export type { Place } from "./place.ts";
export { readFile } from "./read-file.ts";
export type { DiskReport, FileSystemReport, GeometryReport, PartitionReport, TableReport } from "./report.ts";
export { showDisk } from "./show-disk.ts";
