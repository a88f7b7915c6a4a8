import * as path from "node:path";
import { isSystemdThere, readCrontab, refuseCalendar, type TimerSteps } from "../../base/timer/index.ts";
import { readPlan } from "../plan/index.ts";
import { cronRemoval, cronSteps } from "./cron-entry.ts";
import { systemdRemoval, systemdSteps } from "./systemd-units.ts";
import type { TimerRequest } from "./timer-request.ts";

export interface InstallTimerRequest extends Omit<TimerRequest, "plan" | "by"> {
  /** The plan's file. */
  readonly plan: string;
  /** Absent: systemd where that runs, or into a folder; else cron. */
  readonly by?: TimerRequest["by"];
  /** Have it run no longer. */
  readonly isRemoval: boolean;
}

/** What is to be done to have a plan run regularly, or no longer. Nothing is changed. */
export async function planTimer(request: InstallTimerRequest): Promise<TimerSteps> {
  const { isRemoval, plan: file, ...rest } = request;
  const plan = isRemoval ? { path: path.resolve(file), jobs: [], mails: [], webHooks: [] } : await readPlan(file);
  const by = request.by ?? (request.output !== undefined || isSystemdThere() ? "systemd" : "cron");
  const timer: TimerRequest = { ...rest, plan, by };
  if (by === "systemd") {
    if (!isRemoval) await refuseCalendar(request);
    return isRemoval ? systemdRemoval(timer) : systemdSteps(timer);
  }
  const crontab = timer.scope === "user" && timer.output === undefined ? await readCrontab(request.env) : "";
  return isRemoval ? cronRemoval(timer, crontab) : cronSteps(timer, crontab);
}
