import { lazily } from "../../base/index.ts";

export const applyTimer = lazily(async () => (await import("./install-timer.ts")).applyTimer);
export const planTimer = lazily(async () => (await import("./install-timer.ts")).planTimer);
export type { TimerSteps } from "./timer-request.ts";
