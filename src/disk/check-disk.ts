import { Failure, type JobOptions } from "../base/index.ts";
import type { Place } from "./place.ts";

/** One thing that is wrong. A warning leaves the data whole; an error means damage. */
export interface DiskProblem {
  readonly severity: "warning" | "error";
  /** Of which part: `table`, `partition 2`. */
  readonly where: string;
  readonly message: string;
}

/** A part that was looked at. */
export interface CheckedPart {
  /** `table`, `partition 2` */
  readonly where: string;
  /** What it is: `gpt`, `ext4`; or why it was not looked into: `no file system known`. */
  readonly what: string;
  readonly isChecked: boolean;
}

export interface CheckReport {
  readonly parts: readonly CheckedPart[];
  readonly errorCount: number;
  readonly warningCount: number;
}

export interface CheckOptions extends JobOptions {
  /** Hears of each problem as it is found; the check waits for it. */
  readonly onProblem: (problem: DiskProblem) => Promise<void>;
}

/** Checks the table and every file system of a disk, or of one partition. Changes nothing. */
export async function checkDisk(place: Place, _options: CheckOptions): Promise<CheckReport> {
  throw new Failure("unsupported", `cannot check "${place.image}": this is not written yet`);
}
