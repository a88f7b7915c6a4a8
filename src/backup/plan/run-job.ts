import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { Failure, stopIfAborted } from "../../base/index.ts";
import { shellWord } from "../../bytes/index.ts";
import { failedCheckFile } from "../marks.ts";
import { saveBackup } from "../save-backup.ts";
import type { SavedBackup, SaveRequest } from "../saving/request.ts";
import { openStore, pathIn, type BackupStore, type StoreAccess } from "../store/index.ts";
import { checkSaved } from "./check-saved.ts";
import { findSource } from "./find-source.ts";
import { goOnWithLeftover } from "./go-on.ts";
import { applyForgetting, planForgetting } from "./forget.ts";
import { holds, runHook } from "./hooks.ts";
import type { BackupPlan, PlanJob } from "./plan.ts";
import { readSecret } from "./read-secret.ts";
import type { BackupTime } from "./retention.ts";
import type { RunLock } from "./run-lock.ts";
import type { RunPlanOptions } from "./run-plan.ts";
import type { JobError, JobStatus, JobSummary } from "./summary.ts";

/** What all jobs of a run share. */
export interface JobRun {
  readonly plan: BackupPlan;
  /** Absent in a dry run. */
  readonly lock: RunLock | undefined;
  readonly env: NodeJS.ProcessEnv;
  readonly clock: () => number;
  readonly options: RunPlanOptions;
}

const packedAs: Readonly<Record<PlanJob["compress"], SaveRequest["packedAs"]>> = {
  zstd: "zst",
  gzip: "gz",
  xz: "xz",
  lz4: "lz4",
  none: "uncomp",
};

/** Saves, checks, forgets. Whatever fails is in what it gives. */
export async function runJob(job: PlanJob, run: JobRun): Promise<JobSummary> {
  const work = new JobWork(job, run);
  return await work.run();
}

/** What a job would do: nothing is written or run. */
export async function planJob(job: PlanJob, run: JobRun): Promise<JobSummary> {
  const work = new JobWork(job, run);
  return await work.plan();
}

export function interruptedJob({ name, target }: PlanJob): JobSummary {
  return { job: name, status: "interrupted", target, seconds: 0, forgotten: [], warnings: [] };
}

class JobWork {
  readonly #job: PlanJob;
  readonly #run: JobRun;
  readonly #startedMs: number;
  readonly #warnings: string[] = [];
  #source: string | undefined;
  #saved: SavedBackup | undefined;
  #checked: readonly string[] = [];
  #forgotten: readonly string[] = [];

  constructor(job: PlanJob, run: JobRun) {
    this.#job = job;
    this.#run = run;
    this.#startedMs = run.clock();
  }

  async run(): Promise<JobSummary> {
    const { onlyIf } = this.#job;
    let end: End;
    try {
      if (onlyIf !== undefined && !(await holds(onlyIf, this.#hookOptions("waiting")))) return this.#summary("skipped");
      if (!(await this.#isTargetThere())) return this.#summary("no-target");
      end = await this.#saveBetweenHooks();
    } catch (error) {
      end = endOf(error);
    }
    return this.#summary(end.status, end.error);
  }

  async plan(): Promise<JobSummary> {
    try {
      if (!(await this.#isTargetThere())) return this.#summary("no-target");
      this.#source = findSource(this.#job.source);
      this.#forgotten = await this.#forget({ isDryRun: true });
      return this.#summary("planned");
    } catch (error) {
      const { status, error: why } = endOf(error);
      return this.#summary(status, why);
    }
  }

  /** What was stopped before is started again after, whatever has happened; an interruption ends only the saving. */
  async #saveBetweenHooks(): Promise<End> {
    let end: End;
    try {
      for (const command of this.#job.before) await runHook(command, this.#hookOptions("saving"));
      end = await this.#save();
    } catch (error) {
      end = endOf(error);
    }
    for (const command of this.#job.after) {
      try {
        await runHook(command, { ...this.#hookOptions(end.status), signal: new AbortController().signal });
      } catch (error) {
        const failed = endOf(error);
        if (end.status === "saved") end = failed;
        else this.#warnings.push(failed.error?.message ?? command);
      }
    }
    return end;
  }

  async #save(): Promise<End> {
    const { job, options } = { job: this.#job, ...this.#run };
    this.#source = findSource(job.source);
    const request: SaveRequest = {
      source: this.#source,
      into: job.target,
      packedAs: packedAs[job.compress],
      ...(job.level === undefined ? {} : { level: job.level }),
      volumeBytes: job.volumeBytes,
      isUnchecked: job.isUnchecked,
      isCheckedBySystem: job.isCheckedBySystem,
      isFrozen: job.isFrozen,
      ...(job.snapshot === undefined ? {} : { snapshot: job.snapshot }),
      isRoomIgnored: job.isRoomIgnored,
      retries: job.retries,
      ...(job.partitions === undefined ? {} : { partitions: job.partitions }),
      nowMs: this.#startedMs,
      command: this.#command,
      goneOnWithBy: "the next run",
      ...this.#access(),
    };
    this.#saved = await this.#saveOrGoOn(request);
    this.#warnings.push(...this.#saved.warnings);
    this.#checked = await this.#check(this.#saved);
    refuseUnreadable(this.#saved);
    stopIfAborted(options.signal);
    this.#forgotten = await this.#forget({ isDryRun: false });
    return { status: "saved" };
  }

  /** What did not pass counts for nothing from then on. */
  async #check({ path: backup }: SavedBackup): Promise<readonly string[]> {
    try {
      return await checkSaved(backup, this.#job.check, { ...this.#run.options, ...this.#access() });
    } catch (error) {
      if (!(error instanceof Failure) || (error.code !== "damaged" && error.code !== "mismatch")) throw error;
      await using store = await this.#openTarget();
      const note = Buffer.from(`${new Date(this.#run.clock()).toISOString()}\n${error.message}\n`);
      await store.put(pathIn(path.basename(backup), failedCheckFile), note);
      throw error;
    }
  }

  async #saveOrGoOn(request: SaveRequest): Promise<SavedBackup> {
    const { lock, options } = this.#run;
    const job = this.#job.name;
    let saved = lock === undefined ? undefined : await goOnWithLeftover(request, { job, lock }, options);
    if (saved === undefined) {
      const name = this.#backupName();
      lock?.noteBegun(job, { name, attempts: 0 });
      saved = await saveBackup({ ...request, name }, options);
    }
    lock?.noteBegun(job, undefined);
    return saved;
  }

  /** Backups of this job beyond those that are to be kept. */
  async #forget({ isDryRun }: { readonly isDryRun: boolean }): Promise<readonly string[]> {
    const { keep, name } = this.#job;
    if (keep === undefined) return [];
    await using store = await this.#openTarget();
    const end = RegExp.escape(` ${shellWord(name)} ${this.#commandEnd}`);
    const madeBy = new RegExp(`^holdfast backup run .*${end}$`);
    const expected = isDryRun ? { expected: timeOf(this.#startedMs) } : {};
    const plan = await planForgetting(store, { rules: keep, label: name, madeBy, ...expected });
    this.#warnings.push(...plan.damaged.map(({ name: bad, damage }) => `"${bad}" counts for nothing: ${damage}`));
    if (isDryRun) return plan.forgotten.map((one) => one.name);
    const done = await applyForgetting(store, plan, this.#run.options);
    this.#warnings.push(...done.left.map(({ name: left, why }) => `"${left}" is not deleted: ${why}`));
    return done.forgotten;
  }

  /** Throws where it has to be there. */
  async #isTargetThere(): Promise<boolean> {
    const { target, targetMount, whenTargetIsMissing } = this.#job;
    try {
      if (targetMount !== undefined) refuseUnmounted(targetMount);
      await using store = await this.#openTarget();
      if ((await store.find(""))?.kind === "folder") return true;
      throw new Failure("not-found", `cannot save into "${target}": it is not there`, {
        hint: "plug in its disk, or make the folder",
      });
    } catch (error) {
      const isMissing = error instanceof Failure && (error.code === "not-found" || error.code === "failed");
      if (isMissing && whenTargetIsMissing === "skip") return false;
      throw error;
    }
  }

  #openTarget(): Promise<BackupStore> {
    return openStore(this.#job.target, this.#access());
  }

  /** Whatever is asked, nobody is there to answer. */
  #access(): StoreAccess {
    const { identity, targetPassword: secret } = this.#job;
    const { env } = this.#run;
    return {
      env,
      ...(identity === undefined ? {} : { identity }),
      password: async () => (secret === undefined ? undefined : readSecret(secret, env)),
    };
  }

  /** Tells backups of this job from those of others that have the same name, on another machine or by hand. */
  get #command(): string {
    const words = ["holdfast", "backup", "run", this.#run.plan.path, this.#job.name].map(shellWord);
    return `${words.join(" ")} ${this.#commandEnd}`;
  }

  get #commandEnd(): string {
    return `# on ${os.hostname()}`;
  }

  #backupName(): string {
    const { year, month, day, hour, minute } = timeOf(this.#startedMs);
    const two = (value: number): string => String(value).padStart(2, "0");
    return `${year}-${two(month)}-${two(day)}-${two(hour)}${two(minute)}-${this.#job.name}`;
  }

  #hookOptions(status: string) {
    const { env, options } = this.#run;
    const { name, target, hookLimitMs } = this.#job;
    const told = {
      HOLDFAST_JOB: name,
      HOLDFAST_STATUS: status,
      HOLDFAST_TARGET: target,
      ...(this.#saved === undefined ? {} : { HOLDFAST_BACKUP: this.#saved.path }),
    };
    const signal = options.signal === undefined ? {} : { signal: options.signal };
    return { limitMs: hookLimitMs, env: { ...env, ...told }, ...signal };
  }

  #summary(status: JobStatus, error?: JobError): JobSummary {
    const { clock } = this.#run;
    const { name, target } = this.#job;
    const planned = status === "planned" ? { backup: path.join(target, this.#backupName()) } : {};
    const saved = this.#saved;
    return {
      job: name,
      status,
      ...(this.#source === undefined ? {} : { source: this.#source }),
      target,
      ...planned,
      ...(saved === undefined
        ? {}
        : { backup: saved.path, sizeBytes: saved.sizeBytes, packedBytes: saved.packedBytes }),
      seconds: Math.round((clock() - this.#startedMs) / 100) / 10,
      ...(this.#checked.length === 0 ? {} : { checked: this.#checked }),
      forgotten: this.#forgotten,
      ...(error === undefined ? {} : { error }),
      warnings: this.#warnings,
    };
  }
}

interface End {
  readonly status: JobStatus;
  readonly error?: JobError;
}

function endOf(error: unknown): End {
  if (!(error instanceof Failure)) {
    // Whoever is to be told has to hear of this too, and the next job is not to suffer from it.
    const where = error instanceof Error ? error.stack?.split("\n")[1]?.trim() : undefined;
    const hint = `this is a bug in holdfast; please report it${where === undefined ? "" : `: ${where}`}`;
    return { status: "failed", error: { code: "failed", message: `internal error: ${String(error)}`, hint } };
  }
  const { code, message, hint } = error;
  if (code === "interrupted") return { status: "interrupted" };
  return { status: "failed", error: { code, message, ...(hint === undefined ? {} : { hint }) } };
}

/** In the local time of this machine. */
function timeOf(instantMs: number): BackupTime {
  const at = new Date(instantMs);
  return {
    year: at.getFullYear(),
    month: at.getMonth() + 1,
    day: at.getDate(),
    hour: at.getHours(),
    minute: at.getMinutes(),
  };
}

/** The backup is there, but not all of the disk is in it: what older ones have is worth more now. */
function refuseUnreadable({ path: backup, unreadable }: SavedBackup): void {
  if (unreadable === undefined) return;
  const { sectors, files, list } = unreadable;
  throw new Failure("damaged", `cannot read ${sectors} sectors of the disk, in ${files.length} files`, {
    hint: `"${list}" in "${backup}" names what is missing; nothing older was deleted`,
  });
}

function refuseUnmounted(folder: string): void {
  const here = fs.statSync(folder, { throwIfNoEntry: false });
  if (here !== undefined && here.dev !== fs.statSync(path.dirname(folder)).dev) return;
  throw new Failure("not-found", `cannot save below "${folder}": nothing is mounted there`, {
    hint: "plug in its disk, and mount it",
  });
}
