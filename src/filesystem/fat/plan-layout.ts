import { Failure } from "../../base/index.ts";
import { formatSize } from "../../bytes/index.ts";
import { firstCluster } from "../cluster-run.ts";
import { clusterLimits, entryBits, type FatKind } from "./layout.ts";

/** What decides where everything in a new file system goes. */
export interface LayoutWish {
  /** `fat`: the kind that fits the size. */
  readonly kind: FatKind | "fat";
  readonly clusterSizeBytes?: number;
  /** FAT12 and FAT16: how many entries the root directory is to have room for. */
  readonly rootEntries?: number;
}

/** The numbers of a new file system, in sectors of 512 bytes. */
export interface PlannedLayout {
  readonly kind: FatKind;
  readonly sectorCount: number;
  readonly clusterSectors: number;
  readonly reservedSectors: number;
  readonly tableSectors: number;
  /** 0: the root directory is a chain of clusters, as on FAT32. */
  readonly rootEntries: number;
  readonly clusterCount: number;
  readonly media: number;
  /** What a floppy disk of this size has. */
  readonly floppy: Floppy | undefined;
}

export const sectorBytes = 512;
export const tableCount = 2;
const largestClusterBytes = 64 * 1024;
const mib = 2 ** 20;

/** The shapes of floppy disks, which drives and emulators know by their size. */
interface Floppy {
  readonly sizeBytes: number;
  readonly trackSectors: number;
  readonly heads: number;
  readonly clusterSectors: number;
  readonly rootEntries: number;
  readonly media: number;
}

const floppies: readonly Floppy[] = [
  { sizeBytes: 360 * 1024, trackSectors: 9, heads: 2, clusterSectors: 2, rootEntries: 112, media: 0xfd },
  { sizeBytes: 720 * 1024, trackSectors: 9, heads: 2, clusterSectors: 2, rootEntries: 112, media: 0xf9 },
  { sizeBytes: 1200 * 1024, trackSectors: 15, heads: 2, clusterSectors: 1, rootEntries: 224, media: 0xf9 },
  { sizeBytes: 1440 * 1024, trackSectors: 18, heads: 2, clusterSectors: 1, rootEntries: 224, media: 0xf0 },
  { sizeBytes: 2880 * 1024, trackSectors: 36, heads: 2, clusterSectors: 2, rootEntries: 240, media: 0xf0 },
];

const hardDiskMedia = 0xf8;
const usualRootEntries = 512;
const rootEntriesLimit = 65_520;
/** The place of the FSInfo sector and of the copies, and some that other systems want. */
const largeReservedSectors = 32;
/** From this size on data begins at whole pages, or whole clusters. */
const alignedFromBytes = 16 * mib;
const pageBytes = 4096;
/** Programs that count clusters a little differently come to another kind near its limits. */
const limitMargin = 16;

/** As Windows has them ("FAT: General Overview" 1.03, p. 20): `[up to bytes, bytes of a cluster]`. */
const clusterSteps: Readonly<Record<FatKind, readonly (readonly [number, number])[]>> = {
  fat12: [[Infinity, 512]],
  fat16: [
    [16 * mib, 1024],
    [128 * mib, 2048],
    [256 * mib, 4096],
    [512 * mib, 8192],
    [1024 * mib, 16_384],
    [Infinity, 32_768],
  ],
  fat32: [
    [260 * mib, 512],
    [8192 * mib, 4096],
    [16_384 * mib, 8192],
    [32_768 * mib, 16_384],
    [Infinity, 32_768],
  ],
};

const smallestClusterCount: Readonly<Record<FatKind, number>> = {
  fat12: 1,
  fat16: clusterLimits.fat12 + limitMargin,
  fat32: clusterLimits.fat16 + limitMargin,
};

/** Where everything goes in a file system of `sizeBytes`. Throws `usage` where the wish does not go with the size. */
export function planLayout(wish: LayoutWish, sizeBytes: number): PlannedLayout {
  const { kind: wished, clusterSizeBytes } = wish;
  const kind = wished === "fat" ? kindFor(sizeBytes) : wished;
  if (clusterSizeBytes !== undefined) {
    refuseClusterSize(clusterSizeBytes);
    const plan = layOut(wish, { kind, sizeBytes, clusterBytes: clusterSizeBytes });
    if (fits(plan)) return plan;
    throw unfit(kind, sizeBytes, `clusters of ${clusterSizeBytes} bytes would be ${plan.clusterCount}`);
  }
  const usual = usualClusterBytes(kind, sizeBytes);
  for (let clusterBytes = usual; clusterBytes <= largestClusterBytes; clusterBytes *= 2) {
    const plan = layOut(wish, { kind, sizeBytes, clusterBytes });
    if (fits(plan)) return plan;
  }
  for (let clusterBytes = usual / 2; clusterBytes >= sectorBytes; clusterBytes /= 2) {
    const plan = layOut(wish, { kind, sizeBytes, clusterBytes });
    if (fits(plan)) return plan;
  }
  throw unfit(kind, sizeBytes, "no size of clusters fits");
}

function kindFor(sizeBytes: number): FatKind {
  if (sizeBytes < 4 * mib) return "fat12";
  return sizeBytes < 512 * mib ? "fat16" : "fat32";
}

function usualClusterBytes(kind: FatKind, sizeBytes: number): number {
  const floppy = floppies.find((one) => one.sizeBytes === sizeBytes);
  if (kind === "fat12" && floppy !== undefined) return floppy.clusterSectors * sectorBytes;
  return clusterSteps[kind].find(([upTo]) => sizeBytes <= upTo)?.[1] ?? sectorBytes;
}

function fits({ kind, clusterCount }: PlannedLayout): boolean {
  const margin = kind === "fat32" ? 0 : limitMargin;
  return clusterCount >= smallestClusterCount[kind] && clusterCount < clusterLimits[kind] - margin;
}

function layOut(
  wish: LayoutWish,
  {
    kind,
    sizeBytes,
    clusterBytes,
  }: { readonly kind: FatKind; readonly sizeBytes: number; readonly clusterBytes: number },
): PlannedLayout {
  const sectorCount = Math.floor(sizeBytes / sectorBytes);
  if (sectorCount >= 2 ** 32) throw unfit(kind, sizeBytes, "it holds fewer than 2 TiB");
  const clusterSectors = clusterBytes / sectorBytes;
  const floppy = kind === "fat12" ? floppies.find((one) => one.sizeBytes === sizeBytes) : undefined;
  const rootEntries = kind === "fat32" ? 0 : rootEntriesOf(wish, floppy);
  const rootSectors = (rootEntries * 32) / sectorBytes;
  const leastReserved = kind === "fat32" ? largeReservedSectors : 1;
  const tableSectorsFor = (clusters: number): number => {
    return Math.ceil(((clusters + firstCluster) * entryBits[kind]) / 8 / sectorBytes);
  };
  // As many entries as there would be clusters if the tables took no room: at most a few too many.
  const most = Math.max(0, Math.floor((sectorCount - leastReserved - rootSectors) / clusterSectors));
  let tableSectors = tableSectorsFor(most);
  let clusterCount = 0;
  let reservedSectors = leastReserved;
  for (let turn = 0; turn < 3; turn++) {
    reservedSectors = alignedReserved(
      sizeBytes,
      clusterSectors,
      leastReserved,
      tableCount * tableSectors + rootSectors,
    );
    const before = reservedSectors + tableCount * tableSectors + rootSectors;
    clusterCount = Math.max(0, Math.floor((sectorCount - before) / clusterSectors));
    if (turn === 0) tableSectors = tableSectorsFor(clusterCount);
  }
  // Fewer sectors of tables may have made room for a few more clusters: they stay unused.
  const entries = Math.floor((tableSectors * sectorBytes * 8) / entryBits[kind]) - firstCluster;
  const media = floppy?.media ?? hardDiskMedia;
  clusterCount = Math.min(clusterCount, entries);
  const usedSectors = reservedSectors + tableCount * tableSectors + rootSectors + clusterCount * clusterSectors;
  const isExact = sectorCount - usedSectors < clusterSectors;
  return {
    kind,
    sectorCount: isExact ? sectorCount : usedSectors,
    clusterSectors,
    reservedSectors,
    tableSectors,
    rootEntries,
    clusterCount,
    media,
    floppy,
  };
}

function rootEntriesOf(wish: LayoutWish, floppy: Floppy | undefined): number {
  if (wish.rootEntries === undefined) return floppy?.rootEntries ?? usualRootEntries;
  const perSector = sectorBytes / 32;
  return Math.min(rootEntriesLimit, Math.ceil(Math.max(wish.rootEntries, usualRootEntries) / perSector) * perSector);
}

function alignedReserved(sizeBytes: number, clusterSectors: number, least: number, following: number): number {
  if (sizeBytes < alignedFromBytes) return least;
  const grain = Math.max(clusterSectors, pageBytes / sectorBytes);
  return Math.ceil((least + following) / grain) * grain - following;
}

function refuseClusterSize(bytes: number): void {
  const isPowerOfTwo = Number.isInteger(Math.log2(bytes));
  if (isPowerOfTwo && bytes >= sectorBytes && bytes <= largestClusterBytes) return;
  throw new Failure("usage", `cannot use clusters of ${bytes} bytes: a power of two from 512 to 65536 is possible`);
}

function unfit(kind: FatKind, sizeBytes: number, why: string): Failure {
  const least = smallestClusterCount[kind];
  const most = clusterLimits[kind] - 1;
  return new Failure("usage", `cannot make ${kind} of ${sizeBytes} bytes (${formatSize(sizeBytes)}): ${why}`, {
    hint: `${kind} has from ${least} to ${most} clusters of 512 bytes to 64 KiB; fs=fat takes the kind that fits`,
  });
}
