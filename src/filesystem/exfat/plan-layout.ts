import { Failure } from "../../base/index.ts";
import { formatSize } from "../../bytes/index.ts";
import { firstCluster } from "../cluster-run.ts";
import { regionSectors } from "./boot-region.ts";
import { entryBytes } from "./layout.ts";

/** The numbers of a new file system, in sectors of 512 bytes. */
export interface PlannedLayout {
  readonly sectorCount: number;
  readonly clusterSectors: number;
  readonly fatSector: number;
  readonly fatSectors: number;
  readonly heapSector: number;
  readonly clusterCount: number;
}

export const sectorBytes = 512;
const kib = 1024;
const mib = 2 ** 20;
const gib = 2 ** 30;
/** §3.1.5. */
const smallestBytes = mib;
const smallestClusterBytes = 512;
const largestClusterBytes = 32 * mib;
/** §3.1.9. */
const clusterLimit = 2 ** 32 - 11;
const pageBytes = 4096;
/** From this size on the table and the clusters begin at whole MiB, as flash memory likes it. */
const alignedFromBytes = 256 * mib;

/** As Windows has them: `[up to bytes, bytes of a cluster]`. */
const clusterSteps: readonly (readonly [number, number])[] = [
  [256 * mib, 4 * kib],
  [32 * gib, 32 * kib],
  [Infinity, 128 * kib],
];

/** Where everything goes in a file system of `sizeBytes`. Throws `usage` where the clusters do not go with the size. */
export function planLayout(sizeBytes: number, clusterSizeBytes?: number): PlannedLayout {
  if (sizeBytes < smallestBytes) throw unfit(sizeBytes, `it has at least ${formatSize(smallestBytes)}`);
  const usual = clusterSteps.find(([upTo]) => sizeBytes <= upTo)?.[1] ?? smallestClusterBytes;
  const clusterBytes = clusterSizeBytes ?? usual;
  refuseClusterSize(clusterBytes);
  const sectorCount = Math.floor(sizeBytes / sectorBytes);
  const clusterSectors = clusterBytes / sectorBytes;
  const grain = (sizeBytes >= alignedFromBytes ? mib : pageBytes) / sectorBytes;
  const fatSector = Math.ceil((2 * regionSectors) / grain) * grain;
  // As many entries as there would be clusters if the table took no room: at most a few too many.
  const most = Math.floor((sectorCount - fatSector) / clusterSectors);
  const fatSectors = Math.ceil(((most + firstCluster) * entryBytes) / sectorBytes);
  const heapGrain = Math.max(grain, Math.min(clusterSectors, mib / sectorBytes));
  const heapSector = Math.ceil((fatSector + fatSectors) / heapGrain) * heapGrain;
  const clusterCount = Math.floor((sectorCount - heapSector) / clusterSectors);
  if (clusterCount > clusterLimit) throw unfit(sizeBytes, `it would have ${clusterCount} clusters`);
  if (clusterCount < leastClusters(clusterCount, clusterBytes)) {
    throw unfit(sizeBytes, `clusters of ${clusterBytes} bytes would be ${Math.max(0, clusterCount)}`);
  }
  return { sectorCount, clusterSectors, fatSector, fatSectors, heapSector, clusterCount };
}

/** How many clusters the bitmap takes. */
export function bitmapClusters(clusterCount: number, clusterBytes: number): number {
  return Math.ceil(Math.ceil(clusterCount / 8) / clusterBytes);
}

/** How many clusters the recommended up-case table takes. */
export function upcaseClusters(clusterBytes: number): number {
  return Math.ceil(upcaseBytes / clusterBytes);
}

export const upcaseBytes = 5836;

/** What the volume itself takes: bitmap, up-case table, root directory. */
export function leastClusters(clusterCount: number, clusterBytes: number): number {
  return bitmapClusters(clusterCount, clusterBytes) + upcaseClusters(clusterBytes) + 1;
}

function refuseClusterSize(bytes: number): void {
  const isPowerOfTwo = Number.isInteger(Math.log2(bytes));
  if (isPowerOfTwo && bytes >= smallestClusterBytes && bytes <= largestClusterBytes) return;
  const range = `a power of two from ${smallestClusterBytes} to ${largestClusterBytes} is possible`;
  throw new Failure("usage", `cannot use clusters of ${bytes} bytes: ${range}`);
}

function unfit(sizeBytes: number, why: string): Failure {
  return new Failure("usage", `cannot make exfat of ${sizeBytes} bytes (${formatSize(sizeBytes)}): ${why}`, {
    hint: "ask for larger or smaller clusters with block=, or for more room",
  });
}
