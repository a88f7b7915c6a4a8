import { lazily } from "../lazily.ts";

// Needed by few commands only.
export const applyTimer = lazily(async () => (await import("./apply-timer.ts")).applyTimer);
export const readCrontab = lazily(async () => (await import("./apply-timer.ts")).readCrontab);
export const refuseCalendar = lazily(async () => (await import("./apply-timer.ts")).refuseCalendar);
export { cronRemoval, cronSteps, cronWord, type CronEntry } from "./cron-entries.ts";
export { isSystemdThere } from "./systemd-there.ts";
export {
  specifiersKept,
  systemdRemoval,
  systemdSteps,
  unitWord,
  type UnitSections,
  type UnitSetting,
} from "./systemd-units.ts";
export type { TimerPlace, TimerSteps } from "./timer-steps.ts";
