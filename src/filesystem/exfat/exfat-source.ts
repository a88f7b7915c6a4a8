import type { BlockReader } from "../../device/index.ts";
import { ChunkCache } from "../chunk-cache.ts";
import { clustersIn, type ClusterRun } from "../cluster-run.ts";
import { damaged } from "../damaged.ts";
import { allocationOf, ChainTable, type DataPlace } from "./chain.ts";
import { partsOf } from "./exfat-file.ts";
import type { ExfatLayout } from "./layout.ts";
import { directoryLimitBytes } from "./records.ts";

const chunks = { chunkBytes: 64 * 1024, chunkLimit: 128 }; // 8 MiB

/** What all that reads from one exFAT file system has in hand. */
export class ExfatSource {
  readonly reader: BlockReader;
  readonly layout: ExfatLayout;
  readonly table: ChainTable;
  /** Directories. */
  readonly structures: ChunkCache;
  /** Small files, apart from the structures. */
  readonly contents: ChunkCache;

  constructor(reader: BlockReader, layout: ExfatLayout) {
    this.reader = reader;
    this.layout = layout;
    this.table = new ChainTable(reader, layout);
    this.structures = new ChunkCache(reader, chunks);
    this.contents = new ChunkCache(reader, chunks);
  }
}

/** What directories are read from. */
export type DirectorySource = Pick<ExfatSource, "reader" | "layout" | "table">;

/** A directory's bytes, and the clusters in which they are. */
export interface DirectoryBytes {
  readonly bytes: Uint8Array;
  readonly runs: readonly ClusterRun[];
  readonly isContiguous: boolean;
}

/** All of a directory, what follows its end included. Throws `damaged` where its clusters are not to be found. */
export async function readDirectory(source: DirectorySource, place: DataPlace, what: string): Promise<DirectoryBytes> {
  if (place.dataBytes > directoryLimitBytes) throw tooLarge(what);
  const { runs, isContiguous } = await allocationOf(source.table, place, what);
  return { bytes: await readRuns(source, runs, place.dataBytes), runs, isContiguous };
}

/** The root directory, which has no length of its own. */
export async function readRoot(source: DirectorySource): Promise<DirectoryBytes> {
  const { clusterBytes, clusterCount, rootCluster } = source.layout;
  const what = "the root directory";
  const limit = Math.min(clusterCount, Math.ceil(directoryLimitBytes / clusterBytes));
  const runs = await source.table.runs(rootCluster, limit + 1, what);
  if (clustersIn(runs) > limit) throw tooLarge(what);
  return { bytes: await readRuns(source, runs, clustersIn(runs) * clusterBytes), runs, isContiguous: false };
}

/** The first `lengthBytes` of what stands in clusters. */
export async function readRuns(
  { reader, layout }: Pick<ExfatSource, "reader" | "layout">,
  runs: readonly ClusterRun[],
  lengthBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(lengthBytes);
  for (const { at, deviceAt, lengthBytes: partBytes } of partsOf(layout, runs, lengthBytes)) {
    await reader.read(deviceAt, bytes.subarray(at, at + partBytes));
  }
  return bytes;
}

function tooLarge(what: string): Error {
  return damaged(what, `it is a directory of more than ${directoryLimitBytes} bytes, or leads back into itself`);
}
