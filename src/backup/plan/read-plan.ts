import * as path from "node:path";
import { Failure } from "../../base/index.ts";
import { problemText, readToml, type TomlProblem, type TomlTable } from "../../bytes/toml/index.ts";
import type { BackupPlan, PlanJob } from "./plan.ts";
import { readJob } from "./read-job.ts";
import { readMail, readWebHook } from "./read-notices.ts";

/** A plan as far as it could be read, and everything that is wrong with it. */
export interface CheckedPlan {
  readonly plan: BackupPlan;
  readonly problems: readonly TomlProblem[];
}

/** Reads a plan. Throws a `usage` failure, with line and key, where anything is wrong with it. */
export async function readPlan(file: string): Promise<BackupPlan> {
  const { plan, problems } = await checkPlan(file);
  const [first, ...others] = problems;
  if (first === undefined) return plan;
  const more = others.length === 0 ? "" : ` (and ${others.length} more; "holdfast backup plan check" tells all)`;
  throw new Failure("usage", `cannot use the plan "${file}": ${problemText(first)}${more}`, {
    hint: '"holdfast backup plan example" prints a plan with all that can be in it',
  });
}

/** Reads a plan and gathers what is wrong with it. Throws only where there is no file, or no text in it. */
export async function checkPlan(file: string): Promise<CheckedPlan> {
  const { root, problems } = readToml(file, "plan");
  const planPath = path.resolve(file);
  const plan = root === undefined ? { path: planPath, jobs: [], mails: [], webHooks: [] } : readRoot(root, planPath);
  return { plan, problems: problems.toSorted((a, b) => (a.line ?? Infinity) - (b.line ?? Infinity)) };
}

function readRoot(root: TomlTable, planPath: string): BackupPlan {
  const folder = path.dirname(planPath);
  const defaults = root.table("defaults");
  for (const key of ["name", "source"]) if (defaults.has(key)) defaults.complain(key, "it belongs into a [[job]]");
  const jobs = readJobs(root.tables("job"), defaults, folder);
  if (!root.has("job")) root.complain("", "it has no [[job]]");
  const log = root.string("log");
  const plan: BackupPlan = {
    path: planPath,
    jobs,
    ...(log === undefined ? {} : { log: log === "syslog" ? log : path.resolve(folder, log) }),
    mails: root.tables("mail").flatMap((table) => readMail(table, folder) ?? []),
    webHooks: root.tables("web_hook").flatMap((table) => readWebHook(table, folder) ?? []),
  };
  root.finish();
  return plan;
}

function readJobs(tables: readonly TomlTable[], defaults: TomlTable, folder: string): readonly PlanJob[] {
  const jobs: PlanJob[] = [];
  for (const table of tables) {
    const job = readJob(table.over(defaults), folder);
    if (job === undefined) continue;
    // Backups are told apart by the names of their jobs.
    if (jobs.some(({ name }) => name === job.name)) table.complain("name", "another job is called so too");
    jobs.push(job);
  }
  return jobs;
}
