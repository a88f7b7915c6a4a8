import { Bitmap } from "../../../bytes/index.ts";
import { readBytes, type BlockDevice } from "../../../device/index.ts";
import { ChunkCache } from "../../chunk-cache.ts";
import { ClusterPool } from "../../cluster-pool.ts";
import type { ClusterTarget } from "../../cluster-writer.ts";
import { CoalescingWriter } from "../../coalescing-writer.ts";
import { infoSector, infoSignatures } from "../boot-sector.ts";
import { firstCluster, type ClusterRun } from "../../cluster-run.ts";
import { chainRuns } from "../chain.ts";
import { clusterAt, type FatLayout } from "../layout.ts";
import { allEntries, FatTable, marksOf } from "../table.ts";

const structureChunks = { chunkBytes: 64 * 1024, chunkLimit: 64 };

/** The clusters of a FAT file system that is being changed: the table in memory, data on the device. */
export class FatVolume implements ClusterTarget {
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
    const next = await nextFreeOf(device, layout);
    return new FatVolume(device, layout, new ClusterPool(await readUsed(device, layout), { baseCluster: 0, next }));
  }

  get isLarge(): boolean {
    return this.layout.kind === "fat32";
  }

  /** As `readDirectory` wants it. */
  get reader(): BlockDevice {
    return this.device;
  }

  get clusterBytes(): number {
    return this.layout.clusterBytes;
  }

  placeOf(cluster: number): number {
    return clusterAt(this.layout, cluster);
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

/** Goes through the whole table: what it counts is true whatever the file system says of itself. */
async function readUsed(device: BlockDevice, layout: FatLayout): Promise<Bitmap> {
  const { mask } = marksOf[layout.kind];
  const used = new Bitmap(firstCluster + layout.clusterCount);
  used.setRange(0, firstCluster);
  for await (const { first, entries } of allEntries(device, layout)) {
    for (let n = Math.max(0, firstCluster - first); n < entries.length; n++) {
      if (((entries[n] ?? 0) & mask) !== 0) used.set(first + n);
    }
  }
  return used;
}

/** Where FAT32 says that the next free cluster is to be looked for. */
async function nextFreeOf(device: BlockDevice, { infoAt }: FatLayout): Promise<number> {
  if (infoAt === undefined) return 0;
  const { nextFree, leadSignature } = infoSector.decode(await readBytes(device, infoAt, infoSector.sizeBytes));
  return leadSignature === infoSignatures.leadSignature ? nextFree : 0;
}
