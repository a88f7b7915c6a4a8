import * as path from "node:path";
import { Failure } from "../../base/index.ts";
import {
  cronRemoval,
  cronSteps,
  cronWord,
  isSystemdThere,
  readCrontab,
  systemdRemoval,
  systemdSteps,
  unitWord,
  type TimerPlace,
  type TimerSteps,
} from "../../base/timer/index.ts";

export interface FetchTimerRequest {
  /** The words that fetch once. */
  readonly words: readonly string[];
  /** The file of accounts, where one is named. */
  readonly file?: string;
  readonly everyMs: number;
  /** Absent: systemd where that runs, or into a folder; else cron. */
  readonly by?: "systemd" | "cron";
  readonly scope: "system" | "user";
  readonly env: NodeJS.ProcessEnv;
  /** Only the files, into this folder; nothing is started. */
  readonly output?: string;
  /** Have it run no longer. */
  readonly isRemoval: boolean;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** What is to be done to have mail fetched regularly, or no longer. Nothing is changed. */
export async function planFetchTimer(request: FetchTimerRequest): Promise<TimerSteps> {
  const { scope, env, output, isRemoval } = request;
  const named =
    request.file === undefined
      ? ""
      : `-${path
          .basename(request.file)
          .replaceAll(/[^A-Za-z0-9]+/g, "-")
          .replaceAll(/^-|-$/g, "")}`;
  const place: TimerPlace = {
    name: `holdfast-mail-fetch${named}`,
    madeBy: "holdfast mail fetch --install-timer",
    scope,
    env,
    ...(output === undefined ? {} : { output }),
  };
  const by = request.by ?? (output !== undefined || isSystemdThere() ? "systemd" : "cron");
  if (by === "systemd") return isRemoval ? systemdRemoval(place) : systemdSteps(place, unitsOf(request));
  const crontab = scope === "user" && output === undefined ? await readCrontab(env) : "";
  if (isRemoval) return cronRemoval(place, crontab);
  const command = `${request.words.map(cronWord).join(" ")} >/dev/null`;
  return cronSteps(place, [{ fields: cronFields(request.everyMs), command }], crontab);
}

function unitsOf({ words, everyMs, scope }: FetchTimerRequest): Parameters<typeof systemdSteps>[1] {
  const network =
    scope === "system"
      ? ([
          ["Wants", "network-online.target"],
          ["After", "network-online.target"],
        ] as const)
      : [];
  return {
    service: {
      Unit: [["Description", "Mail is fetched"], ...network],
      Service: [
        ["Type", "oneshot"],
        ["ExecStart", words.map(unitWord).join(" ")],
      ],
    },
    timer: {
      Unit: [["Description", "When mail is fetched"]],
      // Counted from the end of the last run: two are never at it at the same time.
      Timer: [
        ["OnActiveSec", "10s"],
        ["OnUnitInactiveSec", `${everyMs / 1000}s`],
      ],
      Install: [["WantedBy", "timers.target"]],
    },
  };
}

/** cron counts in minutes of an hour, or hours of a day. */
function cronFields(everyMs: number): string {
  const [minutes, hours] = [everyMs / minuteMs, everyMs / hourMs];
  if (Number.isInteger(minutes) && 60 % minutes === 0) return minutes === 60 ? "0 * * * *" : `*/${minutes} * * * *`;
  if (Number.isInteger(hours) && 24 % hours === 0) return hours === 24 ? "0 0 * * *" : `0 */${hours} * * *`;
  throw new Failure("usage", "cannot have cron fetch so often: it counts in parts of an hour or of a day", {
    hint: "write 1m, 2m, 5m, 10m, 15m, 30m, 1h, 2h, 6h or 24h; systemd takes any time",
  });
}
