export {
  checkDisk,
  unknownPart,
  type CheckedPart,
  type CheckOptions,
  type CheckReport,
  type DiskProblem,
} from "./check-disk.ts";
export { createDisk } from "./create-disk.ts";
export { prepareDemonstration, type Demonstration } from "./demonstration.ts";
export { growDisk, type GrowDiskRequest } from "./grow-disk.ts";
export { packageFetcher } from "./fetch-packages.ts";
export { getFiles, type GetTarget, type GotFiles } from "./get-files.ts";
export { uuidMaker } from "./identifiers.ts";
export { listKernels } from "./list-kernels.ts";
export { listFiles, type ListedFolder, type ListItem } from "./list-files.ts";
export type { Place } from "./place.ts";
export { repairTable } from "./repair-table.ts";
export { readFile } from "./read-file.ts";
export type { DiskReport, FileSystemReport, GeometryReport, PartitionReport, TableReport } from "./report.ts";
export type { BootRequest, CreatedDisk, CreateDiskRequest, FileSystemRequest, NewPartitionRequest } from "./request.ts";
export { showDisk } from "./show-disk.ts";
export { parseOwner, type Edit, type OwnerWords } from "./edit.ts";
export { editDisk, type PlannedEdit } from "./edit-disk.ts";
export { editText } from "./edit-text.ts";
export { parseModeChange } from "./mode-change.ts";
export type { ResizedDisk } from "./resize.ts";
export { timeOfMaking } from "./time-of-making.ts";
export { shrinkDisk, type ShrinkDiskRequest } from "./shrink-disk.ts";
export { runDisk, type RunDiskOptions, type RunDiskRequest, type RunEnd, type StartedDisk } from "./run-disk.ts";
export type { DiskBus, PortForward } from "./machine/index.ts";
