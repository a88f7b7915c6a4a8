import { readBytes, type BlockDevice } from "../../../device/index.ts";
import { ChunkCache } from "../../chunk-cache.ts";
import { CoalescingWriter } from "../../coalescing-writer.ts";
import { infoSector, infoSignatures } from "../boot-sector.ts";
import { chainRuns, type ClusterRun } from "../chain.ts";
import type { FatLayout } from "../layout.ts";
import { FatTable } from "../table.ts";
import { ClusterPool } from "./cluster-pool.ts";

const structureChunks = { chunkBytes: 64 * 1024, chunkLimit: 64 };

/** The clusters of a FAT file system that is being changed: the table in memory, data on the device. */
export class FatVolume {
  readonly device: BlockDevice;
  readonly layout: FatLayout;
  readonly table: FatTable;
  readonly pool: ClusterPool;
  /** Takes data for clusters that nothing on the device refers to. */
  readonly out: CoalescingWriter;
  /** Directories as the device has them. */
  structures: ChunkCache;

  private constructor(device: BlockDevice, layout: FatLayout, pool: ClusterPool) {
    this.device = device;
    this.layout = layout;
    this.table = new FatTable(device, layout);
    this.pool = pool;
    this.out = new CoalescingWriter(device, device.sizeBytes);
    this.structures = new ChunkCache(device, structureChunks);
  }

  static async open(device: BlockDevice, layout: FatLayout): Promise<FatVolume> {
    return new FatVolume(device, layout, await ClusterPool.open(device, layout, await nextFreeOf(device, layout)));
  }

  get isLarge(): boolean {
    return this.layout.kind === "fat32";
  }

  /** As `readDirectory` wants it. */
  get reader(): BlockDevice {
    return this.device;
  }

  clustersFor(sizeBytes: number): number {
    return Math.ceil(sizeBytes / this.layout.clusterBytes);
  }

  /** A new chain of clusters, which goes on with `next` where that is given. */
  async takeChain(count: number, next: number = this.table.marks.mask): Promise<ClusterRun[]> {
    this.pool.need(count);
    const runs: ClusterRun[] = [];
    for (let left = count; left > 0;) {
      const run = this.pool.take(left);
      runs.push(run);
      left -= run.count;
    }
    for (const [n, run] of runs.entries()) {
      await this.table.link(run.start, run.count, runs[n + 1]?.start ?? next);
    }
    return runs;
  }

  /** Frees the chain from a cluster on. */
  async releaseChain(first: number, what: string): Promise<void> {
    if (first === 0) return;
    // A chain that leads back into itself leads to a cluster that is free by then.
    for await (const run of chainRuns(this.table, first, { limit: Infinity, what })) await this.release(run);
  }

  async release({ start, count }: ClusterRun): Promise<void> {
    for await (const part of this.table.clear(start, count)) {
      if (part.wasFree) this.pool.giveBack(part.start, part.count);
      else this.pool.release(part.start, part.count);
    }
  }

  /** The changes are on the device. */
  settle(): void {
    this.table.settle();
    this.pool.settle();
    this.structures = new ChunkCache(this.device, structureChunks);
  }
}

/** Where FAT32 says that the next free cluster is to be looked for. */
async function nextFreeOf(device: BlockDevice, { infoAt }: FatLayout): Promise<number> {
  if (infoAt === undefined) return 0;
  const { nextFree, leadSignature } = infoSector.decode(await readBytes(device, infoAt, infoSector.sizeBytes));
  return leadSignature === infoSignatures.leadSignature ? nextFree : 0;
}
