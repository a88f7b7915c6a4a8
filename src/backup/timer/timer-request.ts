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

export interface TimerFile {
  readonly path: string;
  readonly text: string;
}

/** What is done to have a plan run regularly, or no longer: nothing of it has happened yet. */
export interface TimerSteps {
  /** Run while everything is as it was. */
  readonly first: readonly TimerCommand[];
  readonly files: readonly TimerFile[];
  /** Where they are there. */
  readonly removed: readonly string[];
  /** Run once the files are as they should be. */
  readonly commands: readonly TimerCommand[];
  /** What a user should know. */
  readonly notes: readonly string[];
}

export interface TimerCommand {
  readonly words: readonly string[];
  /** What it reads. */
  readonly input?: string;
  /** What it undoes may have been undone before. */
  readonly mayFail?: true;
}

export const noSteps: TimerSteps = { first: [], files: [], removed: [], commands: [], notes: [] };
