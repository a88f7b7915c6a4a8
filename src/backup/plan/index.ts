import { lazily } from "../../base/index.ts";

export const checkPlan = lazily(async () => (await import("./read-plan.ts")).checkPlan);
export const readPlan = lazily(async () => (await import("./read-plan.ts")).readPlan);
export const runPlan = lazily(async () => (await import("./run-plan.ts")).runPlan);
export const forgetBackups = lazily(async () => (await import("./tidy-target.ts")).forgetBackups);
export const pruneBackups = lazily(async () => (await import("./tidy-target.ts")).pruneBackups);
export const exampleOfPlan = lazily(async () => (await import("./example-plan.ts")).exampleOfPlan);

export { failureOf } from "./failure-of.ts";
export { parseKeptSpan } from "./kept-span.ts";
export type { BackupPlan, KeepRules } from "./plan.ts";
export { summaryLines } from "./summary-text.ts";
