import { Failure } from "../../base/index.ts";
import {
  cronRemoval as entriesRemoved,
  cronSteps as entriesWritten,
  cronWord,
  type TimerSteps,
} from "../../base/timer/index.ts";
import { placeOf } from "./systemd-units.ts";
import type { TimerRequest } from "./timer-request.ts";

/** When cron starts a run, and how old the last one may be before one was missed: an hour more than is between two. */
interface Schedule {
  readonly fields: string;
  readonly missedAfter: string;
}

const schedules: Readonly<Record<string, Schedule>> = {
  daily: { fields: "0 0 * * *", missedAfter: "25h" },
  weekly: { fields: "0 0 * * 1", missedAfter: "169h" },
  monthly: { fields: "0 0 1 * *", missedAfter: "745h" },
};

/**
 * Entries that run a plan by cron (crontab(5)). cron itself forgets what was due while the machine was off or asleep: a second
 * entry looks twice an hour whether a run was missed.
 */
export function cronSteps(request: TimerRequest, crontab: string): TimerSteps {
  const { fields, missedAfter } = scheduleOf(request.at);
  const words = [...request.program, "backup", "run", request.plan.path].map(cronWord).join(" ");
  const command = `nice -n 19 ${words}`;
  const entries = [
    { fields, command: `${command} >/dev/null` },
    { fields: "*/30 * * * *", command: `${command} --unless-within ${missedAfter} >/dev/null` },
  ];
  const notes = ["what a run prints goes to nobody but for errors: have the plan write a log, or send mail"];
  return { ...entriesWritten(placeOf(request), entries, crontab), notes };
}

export function cronRemoval(request: TimerRequest, crontab: string): TimerSteps {
  return entriesRemoved(placeOf(request), crontab);
}

function scheduleOf(at: string): Schedule {
  const [, hour, minute] = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(at) ?? [];
  if (hour !== undefined) return { fields: `${Number(minute)} ${Number(hour)} * * *`, missedAfter: "25h" };
  const schedule = schedules[at];
  if (schedule !== undefined) return schedule;
  throw new Failure("usage", `cannot have cron run a plan at "${at}"`, {
    hint: "write 03:00, daily, weekly or monthly; systemd takes more",
  });
}
