import { readBytes, type BlockReader } from "../../device/index.ts";
import { ChunkCache } from "../chunk-cache.ts";
import type { ClusterRun } from "../cluster-run.ts";
import { chainRuns } from "./chain.ts";
import { damaged } from "../damaged.ts";
import { directoryLimitBytes } from "./directory-entry.ts";
import { clusterAt, type FatLayout } from "./layout.ts";
import { FatTable } from "./table.ts";

const chunks = { chunkBytes: 64 * 1024, chunkLimit: 128 }; // 8 MiB

/** What all that reads from one FAT file system has in hand. */
export class FatSource {
  readonly reader: BlockReader;
  readonly layout: FatLayout;
  readonly table: FatTable;
  /** Directories. */
  readonly structures: ChunkCache;
  /** Small files, apart from the structures. */
  readonly contents: ChunkCache;

  constructor(reader: BlockReader, layout: FatLayout) {
    this.reader = reader;
    this.layout = layout;
    this.table = new FatTable(reader, layout);
    this.structures = new ChunkCache(reader, chunks);
    this.contents = new ChunkCache(reader, chunks);
  }
}

/** The first cluster of a directory; 0: the root directory of FAT12 and FAT16, which has none. */
export type DirectoryStart = number;

/** A directory's bytes, and where on the device they are. */
export interface DirectoryBytes {
  readonly bytes: Uint8Array;
  /** Its clusters in their order. None: the root directory of FAT12 and FAT16. */
  readonly clusters: readonly ClusterRun[];
}

/** What directories are read from. */
export type DirectorySource = Pick<FatSource, "reader" | "layout" | "table" | "structures">;

/** All of a directory, what follows its end included. Throws `damaged` where its chain of clusters is. */
export async function readDirectory(
  source: DirectorySource,
  start: DirectoryStart,
  what: string,
): Promise<DirectoryBytes> {
  const { layout, reader, table } = source;
  const { clusterBytes } = layout;
  if (start === 0) return { bytes: await readBytes(reader, layout.rootAt, layout.rootBytes), clusters: [] };
  const limit = Math.ceil(directoryLimitBytes / clusterBytes);
  const clusters: ClusterRun[] = [];
  let count = 0;
  for await (const run of chainRuns(table, start, { limit: limit + 1, what })) {
    clusters.push(run);
    count += run.count;
  }
  if (count > limit) throw damaged(what, `it is a directory of more than ${directoryLimitBytes} bytes`);
  const bytes = new Uint8Array(count * clusterBytes);
  let at = 0;
  for (const run of clusters) {
    for (let n = 0; n < run.count; n++, at += clusterBytes) {
      bytes.set(await source.structures.bytes(clusterAt(layout, run.start + n), clusterBytes), at);
    }
  }
  return { bytes, clusters };
}

/** Where on the device an entry of a directory is. */
export function slotAt(
  layout: FatLayout,
  { clusters }: Pick<DirectoryBytes, "clusters">,
  byteInDirectory: number,
): number {
  if (clusters.length === 0) return layout.rootAt + byteInDirectory;
  let left = Math.floor(byteInDirectory / layout.clusterBytes);
  for (const { start, count } of clusters) {
    if (left < count) return clusterAt(layout, start + left) + (byteInDirectory % layout.clusterBytes);
    left -= count;
  }
  throw new RangeError(`byte ${byteInDirectory} is past the end of the directory`);
}
