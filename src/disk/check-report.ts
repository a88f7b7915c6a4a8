import type { JobOptions } from "../base/index.ts";
import type { PlaceOptions } from "./open-disk.ts";

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
  /** What it is: `gpt`, `ext4`; or why it was not looked into: `unknownPart`. */
  readonly what: string;
  readonly isChecked: boolean;
}

/** The `what` of a part that holds nothing known. */
export const unknownPart = "no file system known";

export interface CheckReport {
  readonly parts: readonly CheckedPart[];
  readonly errorCount: number;
  readonly warningCount: number;
}

export interface CheckOptions extends JobOptions, PlaceOptions {
  /** Hears of each problem as it is found; the check waits for it. */
  readonly onProblem: (problem: DiskProblem) => Promise<void>;
}
