import { lazily } from "../base/index.ts";

// A command uses one of these: each is loaded when it is called.
export const openBackup = lazily(async () => (await import("./open-backup.ts")).openBackup);
export const saveBackup = lazily(async () => (await import("./save-backup.ts")).saveBackup);
export const restoreBackup = lazily(async () => (await import("./restore-backup.ts")).restoreBackup);

export type { RestoredBackup, RestoredPart, RestoreRequest } from "./restore-backup.ts";
export type { SavedBackup, SavedPart, SaveRequest } from "./save-backup.ts";
