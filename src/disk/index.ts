import { lazily, lazilyEach } from "../base/index.ts";

// A command uses one or two of these: each is loaded when it is called.
export const checkDisk = lazily(async () => (await import("./check-disk.ts")).checkDisk);
export const createDisk = lazily(async () => (await import("./create-disk.ts")).createDisk);
export const editDisk = lazily(async () => (await import("./edit-disk.ts")).editDisk);
export const getFiles = lazily(async () => (await import("./get-files.ts")).getFiles);
export const growDisk = lazily(async () => (await import("./grow-disk.ts")).growDisk);
export const openForEditing = lazily(async () => (await import("./open-for-editing.ts")).openForEditing);
export const openPlace = lazily(async () => (await import("./open-disk.ts")).openPlace);
export const listFiles = lazilyEach(async () => (await import("./list-files.ts")).listFiles);
export const listKernels = lazily(async () => (await import("./list-kernels.ts")).listKernels);
export const prepareDemonstration = lazily(async () => (await import("./demonstration.ts")).prepareDemonstration);
export const readFile = lazilyEach(async () => (await import("./read-file.ts")).readFile);
export const repairTable = lazily(async () => (await import("./repair-table.ts")).repairTable);
export const runDisk = lazily(async () => (await import("./run-disk.ts")).runDisk);
export const showDisk = lazily(async () => (await import("./show-disk.ts")).showDisk);
export const startDisk = lazily(async () => (await import("./run-disk.ts")).startDisk);
export const writeMachine = lazily(async () => (await import("./vm/index.ts")).writeMachine);
export const shrinkDisk = lazily(async () => (await import("./shrink-disk.ts")).shrinkDisk);

export { differsFrom, isBlank } from "./compare-screens.ts";
export {
  unknownPart,
  type CheckedPart,
  type CheckOptions,
  type CheckReport,
  type DiskProblem,
} from "./check-report.ts";
export type { Demonstration } from "./demonstration.ts";
export type { GrowDiskRequest } from "./grow-disk.ts";
export type { GetTarget, GotFiles } from "./get-files.ts";
export type { ListedFolder, ListItem } from "./list-files.ts";
export type { Kernel } from "./list-kernels.ts";
export type { EditablePlace } from "./open-for-editing.ts";
export type { ImageOpener, OpenPlace } from "./open-disk.ts";
export { parsePlace } from "./parse-place.ts";
export type { Place } from "./place.ts";
export type { DiskReport, FileSystemReport, GeometryReport, PartitionReport, TableReport } from "./report.ts";
export type { BootRequest, CreatedDisk, CreateDiskRequest, FileSystemRequest, NewPartitionRequest } from "./request.ts";
export { parseOwner, type Edit, type OwnerWords } from "./edit.ts";
export type { PlannedEdit } from "./edit-disk.ts";
export { editText } from "./edit-text.ts";
export { parseModeChange } from "./mode-change.ts";
export type { ResizedDisk } from "./resize.ts";
export type { ShrinkDiskRequest } from "./shrink-disk.ts";
export type { RunDiskOptions, RunDiskRequest, RunEnd, RunningDisk, StartDiskRequest, StartedDisk } from "./run-disk.ts";
export type { DiskBus, MachineFirmware, PortForward, Screen } from "./machine/index.ts";
export type { Network, TargetName } from "./vm/index.ts";
