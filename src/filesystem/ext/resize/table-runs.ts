import type { BlockRun } from "../block-allocator.ts";
import type { ExtLayout } from "../layout.ts";
import type { GroupTables } from "./place-tables.ts";

/** The runs of blocks that the tables take, in ascending order, those that follow each other as one. */
export function runsOf(layout: ExtLayout, tables: readonly GroupTables[]): BlockRun[] {
  const single = tables.flatMap(({ blockBitmap, inodeBitmap, inodeTable }) => [
    { start: blockBitmap, length: 1 },
    { start: inodeBitmap, length: 1 },
    { start: inodeTable, length: layout.inodeTableBlocks },
  ]);
  const runs: BlockRun[] = [];
  for (const run of single.sort((a, b) => a.start - b.start)) {
    const last = runs.at(-1);
    if (last !== undefined && last.start + last.length === run.start) {
      runs[runs.length - 1] = { start: last.start, length: last.length + run.length };
    } else runs.push(run);
  }
  return runs;
}

/** Runs in ascending order, asked for by stretches in ascending order. */
export class RunsInOrder {
  readonly #runs: readonly BlockRun[];
  #next = 0;

  constructor(runs: readonly BlockRun[]) {
    this.#runs = runs;
  }

  /** The parts of runs that lie in `[start, end)`. */
  *within(start: number, end: number): Generator<BlockRun> {
    for (; ; this.#next++) {
      const run = this.#runs[this.#next];
      if (run === undefined || run.start >= end) return;
      const from = Math.max(run.start, start);
      const to = Math.min(run.start + run.length, end);
      if (to > from) yield { start: from, length: to - from };
      if (run.start + run.length > end) return;
    }
  }
}
