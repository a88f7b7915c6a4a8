import { Bitmap } from "../../../bytes/index.ts";
import type { BlockDevice } from "../../../device/index.ts";
import { ClusterPool } from "../../cluster-pool.ts";
import { firstCluster, type ClusterRun } from "../../cluster-run.ts";
import type { ClusterTarget } from "../../cluster-writer.ts";
import { CoalescingWriter } from "../../coalescing-writer.ts";
import { ChainTable, type Allocation } from "../chain.ts";
import { clusterAt, type ExfatLayout } from "../layout.ts";
import type { UpcaseTable } from "../upcase.ts";
import type { VolumeEntries } from "../volume-entries.ts";

/** The clusters of a file or directory that are to be others than the device has. */
export interface ChangedChain {
  /** As the device has them; undefined: nothing there is of it. */
  readonly was: Allocation | undefined;
  readonly runs: readonly ClusterRun[];
}

/** The clusters of an exFAT file system that is being changed: bitmap and chains in memory, data on the device. */
export class ExfatVolume implements ClusterTarget {
  readonly device: BlockDevice;
  readonly layout: ExfatLayout;
  /** As the device has it. */
  readonly table: ChainTable;
  readonly upcase: UpcaseTable;
  /** Where the bitmap is. */
  readonly bitmapRuns: readonly ClusterRun[];
  readonly pool: ClusterPool;
  /** Takes data for clusters that nothing on the device refers to. */
  readonly out: CoalescingWriter;
  /** By the ids of files. */
  readonly chains = new Map<number, ChangedChain>();
  /** Bit 0 is cluster 2. Clusters that are given up stay in use here until that is on the device. */
  readonly used: Bitmap;
  /** The same on the device. */
  #known: Bitmap;
  /** Clusters that are given up. */
  #released: Bitmap;

  /** `claimed`: clusters that belong to something, whatever the bitmap says. */
  constructor(device: BlockDevice, layout: ExfatLayout, { bitmap, upcase }: VolumeEntries, claimed?: Bitmap) {
    this.device = device;
    this.layout = layout;
    this.upcase = upcase;
    this.table = new ChainTable(device, layout);
    this.bitmapRuns = bitmap.runs;
    this.used = bitmap.used;
    this.#known = copyOf(this.used);
    this.#released = new Bitmap(this.used.length);
    claimed?.bytes.forEach((byte, n) => (this.used.bytes[n] = (this.used.bytes[n] ?? 0) | byte));
    this.pool = new ClusterPool(this.used, { baseCluster: firstCluster, next: firstCluster });
    this.out = new CoalescingWriter(device, device.sizeBytes);
  }

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

  /** New clusters, as few stretches as can be; from `near` on if that can be. */
  take(count: number, near?: number): ClusterRun[] {
    this.pool.need(count);
    const runs: ClusterRun[] = [];
    for (let left = count; left > 0;) {
      const run = this.pool.take(left, runs.length === 0 ? near : undefined);
      runs.push(run);
      left -= run.count;
    }
    return runs;
  }

  /** Gives clusters up: at once where the device does not know them, else once it does not need them. */
  release(runs: readonly ClusterRun[]): void {
    for (const { start, count } of runs) {
      const end = start - firstCluster + count;
      for (let bit = start - firstCluster; bit < end;) {
        const from = bit;
        const state = this.#stateOf(from);
        do bit++;
        while (bit < end && this.#stateOf(bit) === state);
        const [cluster, length] = [from + firstCluster, bit - from];
        if (state === "new") this.pool.giveBack(cluster, length);
        if (state !== "known") continue;
        this.#released.setRange(from, length);
        this.pool.release(cluster, length);
      }
    }
  }

  /** Of a damaged file system some clusters of a file may be nobody's, or given up already. */
  #stateOf(bit: number): "new" | "known" | "none" {
    if (!this.used.has(bit) || this.#released.has(bit)) return "none";
    return this.#known.has(bit) ? "known" : "new";
  }

  /** The bytes of the bitmap: as the device has them, with what is new in use, and without what is given up. */
  get bitmapStages(): { readonly known: Uint8Array; readonly grown: Uint8Array; readonly final: Uint8Array } {
    const { bytes } = this.used;
    const given = this.#released.bytes;
    return { known: this.#known.bytes, grown: bytes, final: bytes.map((byte, n) => byte & ~(given[n] ?? 0)) };
  }

  /** The changes are on the device. */
  settle(): void {
    this.pool.settle();
    this.chains.clear();
    this.table.forget();
    this.#known = copyOf(this.used);
    this.#released = new Bitmap(this.used.length);
  }
}

function copyOf(bitmap: Bitmap): Bitmap {
  return new Bitmap(bitmap.length, Uint8Array.from(bitmap.bytes));
}
