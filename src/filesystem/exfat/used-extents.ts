import type { Bitmap } from "../../bytes/index.ts";
import { firstCluster } from "../cluster-run.ts";
import type { Extent } from "../file-system.ts";
import { regionSectors } from "./boot-region.ts";
import { clusterAt, type ExfatLayout } from "./layout.ts";

/** Which parts hold structures or data, neighbours joined: boot regions, tables, and all clusters in use. */
export async function* usedExtents(layout: ExfatLayout, used: Bitmap): AsyncGenerator<Extent> {
  let open = { start: 0, end: 2 * regionSectors * layout.sectorBytes };
  for (const { start, end } of [tablesOf(layout), ...clustersOf(layout, used)]) {
    if (start === open.end) {
      open.end = end;
      continue;
    }
    yield { startBytes: open.start, lengthBytes: open.end - open.start };
    open = { start, end };
  }
  yield { startBytes: open.start, lengthBytes: open.end - open.start };
}

interface Stretch {
  readonly start: number;
  readonly end: number;
}

function tablesOf({ fatAt, fatBytes, fatCount, flags }: ExfatLayout): Stretch {
  const start = fatCount === 2 && (flags & 1) !== 0 ? fatAt - fatBytes : fatAt;
  return { start, end: start + fatCount * fatBytes };
}

function* clustersOf(layout: ExfatLayout, used: Bitmap): Generator<Stretch> {
  for (let bit = used.nextSet(0); bit >= 0;) {
    const clear = used.nextClear(bit);
    const end = clear < 0 ? used.length : clear;
    yield { start: clusterAt(layout, firstCluster + bit), end: clusterAt(layout, firstCluster + end) };
    bit = used.nextSet(end);
  }
}
