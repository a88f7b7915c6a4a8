import { lazily } from "../base/index.ts";

// A command uses one of these: each is loaded when it is called.
export const bootBackup = lazily(async () => (await import("./boot/index.ts")).bootBackup);
export const checkBackup = lazily(async () => (await import("./check-backup.ts")).checkBackup);
export const compareBackup = lazily(async () => (await import("./compare/index.ts")).compareBackup);
export const listBackups = lazily(async () => (await import("./show-backup.ts")).listBackups);
export const openBackup = lazily(async () => (await import("./open-backup.ts")).openBackup);
export const saveBackup = lazily(async () => (await import("./save-backup.ts")).saveBackup);
export const restoreBackup = lazily(async () => (await import("./restore-backup.ts")).restoreBackup);
export const showBackup = lazily(async () => (await import("./show-backup.ts")).showBackup);

export type { ContentCacheOptions } from "./cache/index.ts";
export type { BackupProblem, CheckedBackup } from "./check-backup.ts";
export type { RestoredBackup, RestoredPart, RestoreOptions, RestoreRequest } from "./restore-backup.ts";
export type { Fit } from "./restoring/fit-partitions.ts";
export type { RestorePlan } from "./restoring/restore-plan.ts";
export type { SavedBackup, SavedPart, SaveOptions, SaveRequest, UnreadableReport } from "./saving/request.ts";
export type { StoreAccess } from "./store/index.ts";
export { placeInImage } from "./store/index.ts";
export type { BackupReport, ListedBackup, SavedDiskReport, SavedPartReport } from "./show-backup.ts";
export { type BootedBackup } from "./boot/index.ts";
export { planTimer } from "./timer/index.ts";
export {
  checkPlan,
  exampleOfPlan,
  failureOf,
  forgetBackups,
  parseKeptSpan,
  pruneBackups,
  runPlan,
  summaryLines,
  type KeepRules,
} from "./plan/index.ts";
export type { OpenBackupOptions } from "./open-backup.ts";
