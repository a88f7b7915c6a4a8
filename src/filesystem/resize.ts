import type { JobOptions } from "../base/index.ts";
import type { Timestamp } from "../tree/index.ts";

/** A size in bytes before and after it is changed. */
export interface SizeChange {
  readonly beforeBytes: number;
  readonly afterBytes: number;
}

export interface GrowOptions extends JobOptions {
  readonly now: Timestamp;
  /** From here on the device is known to be zero: behind the old end of a file that was just made longer. */
  readonly zeroFromBytes: number;
}

export interface ShrinkOptions extends JobOptions {
  readonly now: Timestamp;
  /** What it comes to at most; what its content needs where that is absent. */
  readonly sizeBytes?: number;
}
