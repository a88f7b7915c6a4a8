import type { FailureCode } from "../../base/index.ts";

/** What became of a job. `no-target`: its target is not there, and the plan says that this may be. */
export type JobStatus = "saved" | "failed" | "skipped" | "no-target" | "interrupted" | "planned";

/** One job of a run, in plain values. */
export interface JobSummary {
  readonly job: string;
  readonly status: JobStatus;
  /** Where the disk was found. */
  readonly source?: string;
  readonly target: string;
  /** The new backup; with `failed` it is there, and not known to be good. */
  readonly backup?: string;
  /** Of the disk, and of its backup. */
  readonly sizeBytes?: number;
  readonly packedBytes?: number;
  readonly seconds: number;
  /** What was looked at afterwards: checksums, file systems, that it starts. */
  readonly checked?: readonly string[];
  /** Older backups that were deleted; with `planned`, that would be. */
  readonly forgotten: readonly string[];
  readonly error?: JobError;
  readonly warnings: readonly string[];
}

export interface JobError {
  readonly code: FailureCode;
  readonly message: string;
  readonly hint?: string;
}

/** A run of a plan, in plain values: `--json` prints it, and web hooks get it, as it stands. */
export interface RunSummary {
  readonly plan: string;
  readonly host: string;
  readonly status: "ok" | "failed" | "interrupted";
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly jobs: readonly JobSummary[];
  /** Who could not be told, and why. */
  readonly untold: readonly string[];
}

/** In one line: `2 saved, 1 failed`. */
export function countText(jobs: readonly JobSummary[]): string {
  const words: readonly (readonly [JobStatus, string])[] = [
    ["saved", "saved"],
    ["failed", "failed"],
    ["interrupted", "interrupted"],
    ["no-target", "without its target"],
    ["skipped", "skipped"],
    ["planned", "planned"],
  ];
  const counts = words.flatMap(([status, text]) => {
    const count = jobs.filter((job) => job.status === status).length;
    return count === 0 ? [] : [`${count} ${text}`];
  });
  return counts.length === 0 ? "nothing to do" : counts.join(", ");
}
