import type { JobOptions } from "../../base/index.ts";
import type { StoreAccess } from "../store/index.ts";
import type { Fit } from "./fit-partitions.ts";
import type { RestorePlan } from "./restore-plan.ts";
import type { RestoredPart } from "./write-disk.ts";

export interface RestoreRequest extends StoreAccess {
  /** The folder of the backup. */
  readonly backup: string;
  /** A new image file, or a device of a disk or a partition. */
  readonly target: string;
  /** Only these partitions: numbers, or the names that the backup has for them. */
  readonly partition?: string | readonly string[];
  /** The partition of a target that is there, to which one partition is restored; the one of the same number unless told. */
  readonly to?: number;
  /** Of several disks in one backup. */
  readonly disk?: string;
  /** Of a new file; that of the old disk unless told. */
  readonly sizeBytes?: number;
  /** What becomes of partitions on a disk of another size. Unless told they stay as they were, if that can be. */
  readonly fit?: Fit;
  /** Give disk, partitions and file systems other ids, and let the files that name them follow. */
  readonly hasNewIds?: boolean;
  /** Read back what was written, and compare. */
  readonly isVerified?: boolean;
  /** Say what would be done, and write nothing. */
  readonly isRehearsal?: boolean;
  /** The serial number of a device, or what stands for it. Absent: whoever approves is asked. */
  readonly confirm?: string;
  /** Replace a file that is there, or what a partition of it holds. */
  readonly force: boolean;
  /** The time that what changes on the way is given; 1970 unless told. */
  readonly nowMs?: number;
}

export interface RestoreOptions extends JobOptions {
  /** Shown the plan before a device is written; gives what the user typed, or nothing where none can be asked. */
  readonly approve?: (plan: RestorePlan) => Promise<string | undefined>;
}

export interface RestoredBackup {
  readonly path: string;
  readonly sizeBytes: number;
  readonly plan: RestorePlan;
  /** Empty where nothing was to be written. */
  readonly parts: readonly RestoredPart[];
  readonly warnings: readonly string[];
}
