import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { Failure, findProgram, systemReason } from "../../base/index.ts";
import { jobLine } from "./summary-text.ts";
import type { JobSummary, RunSummary } from "./summary.ts";

/** Leaves a line for each job: in the system's log, or at the end of a file. Throws `failed` where that cannot be. */
export async function writeLog(log: string, summary: RunSummary, env: NodeJS.ProcessEnv): Promise<void> {
  if (log === "syslog") {
    for (const job of summary.jobs) await logBySystem(job, env);
    return;
  }
  const lines = summary.jobs.map((job) => `${summary.finishedAt} ${jobLine(job)}\n`);
  try {
    fs.appendFileSync(log, lines.join(""), { mode: 0o640 });
  } catch (error) {
    throw new Failure("failed", `cannot write to the log "${log}": ${systemReason(error)}`, { cause: error });
  }
}

/** By logger, since Node has no sockets of the kind that the system's log has. */
async function logBySystem(job: JobSummary, env: NodeJS.ProcessEnv): Promise<void> {
  const program = findProgram("logger", env);
  if (program === undefined) {
    throw new Failure("failed", "cannot write to the system's log: logger is not installed", {
      hint: "log to a file instead",
    });
  }
  const level = job.status === "failed" || job.status === "interrupted" ? "daemon.err" : "daemon.info";
  const child = spawn(program, ["-t", "holdfast", "-p", level, "--", jobLine(job)], { stdio: "ignore", env });
  const [status] = (await once(child, "close")) as [number | null];
  if (status !== 0)
    throw new Failure("failed", `cannot write to the system's log: ${program} ended with ${status ?? ""}`);
}
