import type { BlockReader } from "../../device/index.ts";
import { ChunkCache } from "../chunk-cache.ts";
import { clustersIn, firstCluster, type ClusterRun } from "../cluster-run.ts";
import { damaged } from "../damaged.ts";
import { entryBytes, isCluster, type ExfatLayout } from "./layout.ts";
import { secondaryFlags, type StreamEntryRecord } from "./records.ts";

/** The marks of the file allocation table (§4.1). */
export const chainEnd = 0xffffffff;
export const badCluster = 0xfffffff7;
export const firstEntries: readonly number[] = [0xfffffff8, 0xffffffff];

const chunks = { chunkBytes: 64 * 1024, chunkLimit: 128 }; // 8 MiB

/** The file allocation table in use, as the device has it. */
export class ChainTable {
  readonly layout: ExfatLayout;
  #cache: ChunkCache;
  readonly #reader: BlockReader;

  constructor(reader: BlockReader, layout: ExfatLayout) {
    this.layout = layout;
    this.#reader = reader;
    this.#cache = new ChunkCache(reader, chunks);
  }

  async entry(cluster: number): Promise<number> {
    const bytes = await this.#cache.bytes(this.layout.fatAt + cluster * entryBytes, entryBytes);
    return new DataView(bytes.buffer, bytes.byteOffset, entryBytes).getUint32(0, true);
  }

  /** The device has changed. */
  forget(): void {
    this.#cache = new ChunkCache(this.#reader, chunks);
  }

  /**
   * The clusters of a chain in their order, neighbours joined, to its end, but not more than `limit`, nor from one on
   * that `goesOn` does not want. Throws `damaged` where it leads out of the file system.
   */
  async runs(
    first: number,
    limit: number,
    what: string,
    goesOn: (cluster: number) => boolean = () => true,
  ): Promise<ClusterRun[]> {
    const runs: { start: number; count: number }[] = [];
    let cluster = first;
    for (let left = limit; left > 0 && cluster !== chainEnd; left--) {
      if (!isCluster(this.layout, cluster)) throw damaged(what, whyNoCluster(cluster));
      if (!goesOn(cluster)) return runs;
      const last = runs.at(-1);
      if (last !== undefined && last.start + last.count === cluster) last.count++;
      else runs.push({ start: cluster, count: 1 });
      cluster = await this.entry(cluster);
    }
    return runs;
  }
}

function whyNoCluster(number: number): string {
  if (number === badCluster) return "its chain of clusters leads to a bad one";
  return `its chain of clusters leads to ${number}, which is none`;
}

/** What an entry says of where data is. */
export type DataPlace = Pick<StreamEntryRecord, "flags" | "firstCluster" | "dataBytes">;

/** Where data is, as one stretch or as a chain. */
export interface Allocation {
  readonly runs: readonly ClusterRun[];
  /** One stretch, of which the table says nothing. */
  readonly isContiguous: boolean;
}

/** All clusters of what an entry leads to. Throws `damaged` where there are not as many as its length needs. */
export async function allocationOf(table: ChainTable, place: DataPlace, what: string): Promise<Allocation> {
  const { layout } = table;
  const { flags, firstCluster: start, dataBytes } = place;
  const isContiguous = (flags & secondaryFlags.noFatChain) !== 0;
  if (dataBytes === 0) return { runs: [], isContiguous };
  const count = clusterCountOf(layout, dataBytes, what);
  if (isContiguous) {
    if (start < firstCluster || start + count > firstCluster + layout.clusterCount) {
      throw damaged(what, `its clusters are ${count} from ${start} on, there are ${layout.clusterCount} in all`);
    }
    return { runs: [{ start, count }], isContiguous };
  }
  const runs = await table.runs(start, count, what);
  refuseShort(layout, runs, dataBytes, what);
  return { runs, isContiguous };
}

/** How many clusters so many bytes need. Throws `damaged` where that is more than there are. */
export function clusterCountOf({ clusterBytes, clusterCount }: ExfatLayout, dataBytes: number, what: string): number {
  const count = Math.ceil(dataBytes / clusterBytes);
  if (count <= clusterCount) return count;
  throw damaged(what, `its ${dataBytes} bytes are more than all clusters hold`);
}

/** Throws `damaged` where clusters are too few for so many bytes. */
export function refuseShort(
  { clusterBytes }: ExfatLayout,
  runs: readonly ClusterRun[],
  dataBytes: number,
  what: string,
): void {
  const foundBytes = clustersIn(runs) * clusterBytes;
  if (foundBytes < dataBytes) throw damaged(what, `its clusters end at byte ${foundBytes} of ${dataBytes}`);
}
