import type { BackupPlan } from "../plan/index.ts";

/** When a plan is to be run, and by what. */
export interface TimerRequest {
  readonly plan: BackupPlan;
  /** The words that start this program. */
  readonly program: readonly string[];
  /** `03:00` each day, or what the machine's timers take: calendar expressions of systemd; daily, weekly, monthly of cron. */
  readonly at: string;
  readonly by: "systemd" | "cron";
  readonly scope: "system" | "user";
  readonly env: NodeJS.ProcessEnv;
  /** Only the files, into this folder; nothing is started. */
  readonly output?: string;
}

/** The command that makes what runs a plan. */
export const madeBy = "holdfast backup install-timer";
