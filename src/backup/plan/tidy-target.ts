import type { JobOptions } from "../../base/index.ts";
import { openStore, type StoreAccess } from "../store/index.ts";
import { applyForgetting, planForgetting, type Forgotten, type ForgetPlan } from "./forget.ts";
import type { KeepRules } from "./plan.ts";
import { pruneStore, type Pruned } from "./prune.ts";

export interface ForgetBackupsRequest extends StoreAccess {
  /** Where the backups are. */
  readonly target: string;
  readonly rules: KeepRules;
  /** Only backups of this name behind the date. */
  readonly label?: string;
  readonly isDryRun: boolean;
}

export interface ForgottenBackups extends ForgetPlan {
  /** What was done; with a dry run nothing. */
  readonly done: Forgotten;
}

/** Deletes backups beyond those that rules keep, of each series by itself. */
export async function forgetBackups(request: ForgetBackupsRequest, job: JobOptions = {}): Promise<ForgottenBackups> {
  await using store = await openStore(request.target, request);
  const plan = await planForgetting(store, request);
  const done = request.isDryRun ? { forgotten: [], left: [] } : await applyForgetting(store, plan, job);
  return { ...plan, done };
}

export interface PruneBackupsRequest extends StoreAccess {
  readonly target: string;
  readonly unchangedSinceMs: number;
  readonly isDryRun: boolean;
}

/** Removes what runs that were broken off have left behind in a target. */
export async function pruneBackups(request: PruneBackupsRequest, job: JobOptions = {}): Promise<Pruned> {
  await using store = await openStore(request.target, request);
  return await pruneStore(store, request, job);
}
