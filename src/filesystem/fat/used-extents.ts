import type { BlockReader } from "../../device/index.ts";
import type { Extent } from "../file-system.ts";
import { firstCluster } from "../cluster-run.ts";
import { clusterAt, type FatLayout } from "./layout.ts";
import { allEntries, marksOf } from "./table.ts";

/** Which parts hold structures or data, neighbours joined: all clusters that are neither free nor bad. */
export async function* usedExtents(reader: BlockReader, layout: FatLayout): AsyncGenerator<Extent> {
  const { mask, bad } = marksOf[layout.kind];
  let open = { start: 0, end: layout.dataAt };
  for await (const { first, entries } of allEntries(reader, layout)) {
    for (let n = Math.max(0, firstCluster - first); n < entries.length; n++) {
      const value = (entries[n] ?? 0) & mask;
      if (value === 0 || value === bad) continue;
      const start = clusterAt(layout, first + n);
      if (start !== open.end) {
        yield { startBytes: open.start, lengthBytes: open.end - open.start };
        open = { start, end: start };
      }
      open.end += layout.clusterBytes;
    }
  }
  yield { startBytes: open.start, lengthBytes: open.end - open.start };
}

/** How many clusters are free. */
export async function countFree(reader: BlockReader, layout: FatLayout): Promise<number> {
  const { mask } = marksOf[layout.kind];
  let free = 0;
  for await (const { first, entries } of allEntries(reader, layout)) {
    for (let n = Math.max(0, firstCluster - first); n < entries.length; n++) {
      if (((entries[n] ?? 0) & mask) === 0) free++;
    }
  }
  return free;
}
