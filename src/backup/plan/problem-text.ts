import type { PlanProblem } from "./plan-table.ts";

/** A problem of a plan in one line. */
export function problemText({ line, key, message }: PlanProblem): string {
  return [...(line === undefined ? [] : [`line ${line}`]), ...(key === "" ? [] : [key]), message].join(": ");
}
