import * as path from "node:path";
import { Failure } from "../../base/index.ts";
import { shellWord } from "../../bytes/index.ts";
import { noSteps, type TimerRequest, type TimerSteps } from "./timer-request.ts";
import { unitName } from "./unit-name.ts";

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
  const name = unitName(request.plan);
  const { fields, missedAfter } = scheduleOf(request.at);
  const words = [...request.program, "backup", "run", request.plan.path].map(cronWord).join(" ");
  const user = request.scope === "system" ? "root " : "";
  const command = `${user}nice -n 19 ${words}`;
  const lines = [
    `# ${name}: made by holdfast backup install-timer; --remove removes it.`,
    `${fields} ${command} >/dev/null`,
    `*/30 * * * * ${command} --unless-within ${missedAfter} >/dev/null`,
    `# ${name}: end`,
  ];
  const notes = ["what a run prints goes to nobody but for errors: have the plan write a log, or send mail"];
  if (request.output !== undefined || request.scope === "system") {
    const head = ["SHELL=/bin/sh", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"];
    const text = `${[...(request.scope === "system" ? head : []), ...lines].join("\n")}\n`;
    const file = path.join(request.output ?? "/etc/cron.d", name);
    return { ...noSteps, files: [{ path: file, text }], notes };
  }
  const input = `${[...without(crontab, name), ...lines].join("\n")}\n`;
  return { ...noSteps, commands: [{ words: ["crontab", "-"], input }], notes };
}

export function cronRemoval(request: TimerRequest, crontab: string): TimerSteps {
  const name = unitName(request.plan);
  if (request.output !== undefined || request.scope === "system") {
    return { ...noSteps, removed: [path.join(request.output ?? "/etc/cron.d", name)] };
  }
  const input = without(crontab, name)
    .map((line) => `${line}\n`)
    .join("");
  return { ...noSteps, commands: [{ words: ["crontab", "-"], input }] };
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

/** A user's table without the entries of a name. */
function without(crontab: string, name: string): string[] {
  const lines = crontab.split("\n");
  if (lines.at(-1) === "") lines.pop();
  const start = lines.findIndex((line) => line.startsWith(`# ${name}: made by `));
  const end = lines.indexOf(`# ${name}: end`, start);
  return start < 0 || end < 0 ? lines : lines.toSpliced(start, end - start + 1);
}

/** A word of the shell in a crontab, where a percent sign would end the line. */
function cronWord(word: string): string {
  return shellWord(word).replaceAll("%", "\\%");
}
