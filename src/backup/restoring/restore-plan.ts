import type { BlockIdentity, Confirmation } from "../../device/index.ts";
import type { DiskReport } from "../../disk/index.ts";

/** Where a partition was, and where it is to be. */
export interface PlannedPlace {
  readonly name: string;
  /** As the backup names it: `ext4`; `dd` for plain bytes, `swap`; empty where nothing of it was saved. */
  readonly kind: string;
  /** The partition that it is restored to. */
  readonly number: number;
  readonly before: { readonly startBytes: number; readonly sizeBytes: number };
  readonly after: { readonly startBytes: number; readonly sizeBytes: number };
}

/** What is to be restored onto what. */
export interface RestorePlan {
  readonly backup: string;
  readonly target: string;
  readonly sizeBytes: number;
  readonly places: readonly PlannedPlace[];
  /** Of a real disk that is written onto. */
  readonly device?: {
    readonly identity: BlockIdentity;
    readonly confirmation: Confirmation;
    /** What is on it; absent where that cannot be told. */
    readonly contents?: DiskReport;
    /** All of it is written over, not only some partitions. */
    readonly isWhole: boolean;
  };
}
