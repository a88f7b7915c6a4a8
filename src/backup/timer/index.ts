import { lazily } from "../../base/index.ts";

export const planTimer = lazily(async () => (await import("./install-timer.ts")).planTimer);
