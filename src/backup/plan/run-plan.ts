import * as os from "node:os";
import { Failure, type JobOptions } from "../../base/index.ts";
import type { BackupPlan, PlanJob, ToldOf } from "./plan.ts";
import { postWebHook } from "./post-web-hook.ts";
import { readPlan } from "./read-plan.ts";
import { interruptedJob, planJob, runJob, type JobRun } from "./run-job.ts";
import { RunLock } from "./run-lock.ts";
import { sendMail } from "./send-mail.ts";
import { summaryLines } from "./summary-text.ts";
import { countText, type JobSummary, type RunSummary } from "./summary.ts";
import { writeLog } from "./write-log.ts";

export interface RunPlanRequest {
  /** The plan's file. */
  readonly plan: string;
  /** Only these jobs; none: all. */
  readonly jobs: readonly string[];
  /** Nothing is saved, deleted, run or sent: the summary says what would be. */
  readonly isDryRun: boolean;
  /** Nothing is done where the last run began less than so long ago. */
  readonly unlessWithinMs?: number;
  readonly env: NodeJS.ProcessEnv;
  readonly clock: () => number;
}

export interface RunPlanOptions extends JobOptions {
  /** Told of each job once it is done. */
  readonly onJob?: (job: JobSummary) => void;
}

/**
 * Runs the jobs of a plan, one after the other, whatever becomes of each, and tells those who are to be told. Gives the
 * summary also where jobs have failed. Throws where the plan itself cannot be used, and `refused` where it is being run.
 */
export async function runPlan(request: RunPlanRequest, options: RunPlanOptions = {}): Promise<RunSummary> {
  const { env, clock, isDryRun } = request;
  const plan = await readPlan(request.plan);
  const chosen = chooseJobs(plan, request.jobs);
  using lock = isDryRun ? undefined : takeLock(request, plan);
  const startedMs = clock();
  const isBusy = !isDryRun && lock === undefined;
  const isEarly = isBusy || (lock?.lastRunMs ?? -Infinity) > startedMs - (request.unlessWithinMs ?? 0);
  const jobs: JobSummary[] = [];
  const run: JobRun = { plan, lock, env, clock, options };
  for (const job of isEarly ? [] : chosen) {
    const done = await (isDryRun ? planJob(job, run) : isAborted(options) ? interruptedJob(job) : runJob(job, run));
    jobs.push(done);
    options.onJob?.(done);
  }
  const summary: RunSummary = {
    plan: plan.path,
    host: os.hostname(),
    status: statusOf(jobs),
    startedAt: new Date(startedMs).toISOString(),
    finishedAt: new Date(clock()).toISOString(),
    jobs,
    untold: [],
  };
  if (isDryRun || isEarly) return summary;
  if (summary.status !== "interrupted") lock?.note(startedMs);
  return { ...summary, untold: await tellAll(plan, summary, env) };
}

/** Where a run is only to be made up, one that is going on is as good. */
function takeLock({ env, unlessWithinMs }: RunPlanRequest, plan: BackupPlan): RunLock | undefined {
  try {
    return RunLock.take(plan.path, env);
  } catch (error) {
    const isBusy = error instanceof Failure && error.code === "refused";
    if (isBusy && unlessWithinMs !== undefined) return undefined;
    throw error;
  }
}

function isAborted({ signal }: JobOptions): boolean {
  return signal?.aborted === true;
}

function chooseJobs(plan: BackupPlan, names: readonly string[]): readonly PlanJob[] {
  const unknown = names.find((name) => !plan.jobs.some((job) => job.name === name));
  if (unknown !== undefined) {
    const known = plan.jobs.map(({ name }) => name).join(", ");
    throw new Failure("not-found", `cannot find the job "${unknown}" in "${plan.path}"`, { hint: `it has ${known}` });
  }
  return names.length === 0 ? plan.jobs : plan.jobs.filter(({ name }) => names.includes(name));
}

function statusOf(jobs: readonly JobSummary[]): RunSummary["status"] {
  if (jobs.some(({ status }) => status === "interrupted")) return "interrupted";
  return jobs.some(({ status }) => status === "failed") ? "failed" : "ok";
}

/** Tells everybody that the plan names; gives why somebody could not be told. */
async function tellAll(plan: BackupPlan, summary: RunSummary, env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  const { log } = plan;
  const letter = {
    subject: `Backup of ${summary.host}: ${countText(summary.jobs)}`,
    text: `${summaryLines(summary).join("\n")}\n\nplan: ${plan.path}\nbegun: ${summary.startedAt}\n`,
  };
  const isMeant = ({ of }: { readonly of: ToldOf }): boolean => of === "always" || summary.status !== "ok";
  const tellings = [
    ...(log === undefined ? [] : [writeLog(log, summary, env)]),
    ...plan.mails.filter(isMeant).map((mail) => sendMail(mail, letter, env)),
    ...plan.webHooks.filter(isMeant).map((hook) => postWebHook(hook, summary, { env })),
  ];
  const ends = await Promise.allSettled(tellings);
  return ends.flatMap((end) => {
    if (end.status === "fulfilled") return [];
    if (!(end.reason instanceof Failure)) throw end.reason;
    return [end.reason.message];
  });
}
