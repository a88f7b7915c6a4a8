import type { BlockUse, Conflict } from "./block-use.ts";
import type { CheckReport } from "../check-report.ts";
import type { InodeChunks } from "./inode-chunks.ts";
import { blockPlace, type BlockPlace } from "./layout.ts";
import type { XfsSource } from "./xfs-source.ts";

/** What the steps of a check hand to each other. */
export interface CheckState {
  readonly source: XfsSource;
  readonly report: CheckReport;
  readonly chunks: InodeChunks;
  /** The blocks of the trees of inodes, by group. */
  readonly inodeTreeBlocks: Map<number, readonly number[]>;
  /** Groups of which the headers or trees are damaged: what is free there is not known. */
  readonly unknownGroups: Set<number>;
  /** Inodes that were deleted while they were open. */
  readonly unlinked: Set<number>;
  readonly totals: { inodes: number; freeInodes: number; freeBlocks: number };
  /** Of the groups that are being looked at. */
  blocks: BlockUse;
}

/** Where a block stands among all. */
export function linearOf({ source }: Pick<CheckState, "source">, { group, block }: BlockPlace): number {
  return group * source.layout.groupBlocks + block;
}

/** The same of a block that is told by its number, which there is. */
export function linearOfNumber(state: Pick<CheckState, "source">, number: number): number {
  const place = blockPlace(state.source.layout, number);
  return place === undefined ? -1 : linearOf(state, place);
}

/** "block 7 of group 1, which is free" */
export function conflictText({ source }: Pick<CheckState, "source">, { block, isFree }: Conflict): string {
  const { groupBlocks } = source.layout;
  const group = Math.floor(block / groupBlocks);
  const what = isFree ? "which is free" : "which something else has too";
  return `block ${block - group * groupBlocks} of group ${group}, ${what}`;
}

/** Takes blocks for what is named. */
export function claimBlocks(state: CheckState, start: number, count: number, owner: string, inode?: number): void {
  const conflict = state.blocks.claim(start, count);
  if (conflict !== undefined) state.report.error(`${owner} has ${conflictText(state, conflict)}`, inode);
}
