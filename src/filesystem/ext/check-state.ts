import { Failure } from "../../base/index.ts";
import type { CheckReport } from "../check-report.ts";
import type { BlockUse } from "./block-use.ts";
import type { InodeUse } from "./inode-use.ts";
import type { ExtSource } from "./source.ts";

/** What the steps of a check hand to each other. */
export interface CheckState {
  readonly source: ExtSource;
  readonly report: CheckReport;
  readonly inodes: InodeUse;
  readonly orphans: ReadonlySet<number>;
  /** Of the window that is being looked at. */
  blocks: BlockUse;
  /** Attribute blocks that several inodes share: how many say so, and how many do. */
  readonly sharedBlocks: Map<number, { readonly expected: number; readonly found: number }>;
  /** Those of them that have been claimed in this window. */
  readonly claimedShared: Set<number>;
  /** Inodes that hold the value of an attribute. */
  readonly valueInodes: Set<number>;
  /** What the `..` of each directory names. */
  readonly upward: Map<number, number>;
  readonly totals: { freeInodes: number; freeClusters: number };
}

/** Runs a step; where it fails because something is damaged, that is a finding, once there is a report. */
export async function findDamage(
  report: CheckReport | undefined,
  inode: number | undefined,
  step: () => Promise<void>,
): Promise<void> {
  try {
    await step();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    report?.error(error.message.replace(/^cannot read /, ""), inode);
  }
}
