import type { FailureCode } from "../../base/index.ts";
import type { RunSummary } from "./summary.ts";

/** Why a run is no success: the code of its first failure; undefined where all went well and everybody was told. */
export function failureOf({ status, jobs, untold }: RunSummary): FailureCode | undefined {
  if (status === "interrupted") return "interrupted";
  const failed = jobs.find((job) => job.status === "failed");
  if (failed !== undefined) return failed.error?.code ?? "failed";
  return untold.length > 0 ? "failed" : undefined;
}
