import { Failure } from "../../base/index.ts";
import { Bitmap } from "../../bytes/index.ts";
import { readBytes, type BlockReader } from "../../device/index.ts";
import { clustersIn, firstCluster, type ClusterRun } from "../cluster-run.ts";
import type { VolumePatch, WidenedVolume } from "../widened-volume.ts";
import { encodeBootRegion, regionSectors } from "./boot-region.ts";
import { chainEnd } from "./chain.ts";
import { placeInRuns } from "./directory-sets.ts";
import { ExfatSource, readRoot } from "./exfat-source.ts";
import { clusterAt, entryBytes, readLayout, type ExfatLayout } from "./layout.ts";
import { bitmapClusters, planLayout, sectorBytes, type PlannedLayout } from "./plan-layout.ts";
import { bitmapEntry, bootSector, slotBytes } from "./records.ts";
import { readVolumeEntries, type VolumeEntries } from "./volume-entries.ts";

/**
 * Plans an exFAT of at most `sizeBytes` with the files of another one. Its table is longer, so all clusters stand further
 * behind; they keep their numbers, so no directory and no chain changes but that of the bitmap. Undefined where it has not
 * the shape that new ones have, is not whole, or would not become larger.
 */
export async function widenExfat(reader: BlockReader, sizeBytes: number): Promise<WidenedVolume | undefined> {
  const before = await readLayout(reader);
  const plan = planFor(before, sizeBytes);
  if (plan === undefined || plan.clusterCount <= before.clusterCount) return undefined;
  const source = new ExfatSource(reader, before);
  const root = await readRoot(source);
  const volume = await readVolumeEntries(source, root.bytes);
  if (volume.problems.length > 0 || volume.whyReadOnly !== undefined) return undefined;
  const fatAt = plan.fatSector * sectorBytes;
  const after = { ...before, fatAt, heapAt: plan.heapSector * sectorBytes, clusterCount: plan.clusterCount };
  const bitmap = planBitmap(before, after, volume);
  const entry = bitmapEntry.decode(root.bytes, volume.bitmap.slot * slotBytes);
  const newEntry = { ...entry, firstCluster: bitmap.runs[0]?.start ?? 0, dataBytes: bitmap.bytes.length };
  return {
    sizeBytes: plan.sectorCount * sectorBytes,
    stretches: [
      { at: 0, from: 0, lengthBytes: 2 * regionSectors * sectorBytes },
      { at: fatAt, from: before.fatAt, lengthBytes: (firstCluster + before.clusterCount) * entryBytes },
      { at: after.heapAt, from: before.heapAt, lengthBytes: before.clusterCount * before.clusterBytes },
    ],
    patches: [
      ...(await bootPatches(reader, plan, bitmap.usedCount)),
      ...bitmap.chain,
      ...bitmap.content,
      { at: placeInRuns(after, root.runs, volume.bitmap.slot * slotBytes), bytes: bitmapEntry.encode(newEntry) },
    ],
  };
}

function planFor(before: ExfatLayout, sizeBytes: number): PlannedLayout | undefined {
  if (before.sectorBytes !== sectorBytes || before.fatCount !== 1 || before.problem !== undefined) return undefined;
  try {
    return planLayout(sizeBytes, before.clusterBytes);
  } catch (error) {
    if (error instanceof Failure && error.code === "usage") return undefined; // too many clusters of this size
    throw error;
  }
}

interface PlannedBitmap {
  readonly runs: readonly ClusterRun[];
  readonly bytes: Uint8Array;
  readonly usedCount: number;
  readonly chain: readonly VolumePatch[];
  readonly content: readonly VolumePatch[];
}

/** A bitmap for more clusters: where it was if it fits there, else in the first of the new clusters. */
function planBitmap(before: ExfatLayout, after: ExfatLayout, { bitmap }: VolumeEntries): PlannedBitmap {
  const { clusterBytes, clusterCount } = after;
  const count = bitmapClusters(clusterCount, clusterBytes);
  const used = new Bitmap(clusterCount);
  used.bytes.set(bitmap.used.bytes);
  used.clearRange(before.clusterCount, Math.min(clusterCount, bitmap.used.bytes.length * 8) - before.clusterCount);
  const isMoved = count > clustersIn(bitmap.runs);
  const runs = isMoved ? [{ start: firstCluster + before.clusterCount, count }] : bitmap.runs;
  if (isMoved) {
    for (const run of bitmap.runs) used.clearRange(run.start - firstCluster, run.count);
    used.setRange(before.clusterCount, count);
  }
  const padded = new Uint8Array(count * clusterBytes);
  padded.set(used.bytes);
  return {
    runs,
    bytes: used.bytes,
    usedCount: used.countSet(),
    chain: isMoved ? [chainPatch(after, before.clusterCount + firstCluster, count)] : [],
    content: contentPatches(after, runs, padded),
  };
}

function chainPatch({ fatAt }: ExfatLayout, start: number, count: number): VolumePatch {
  const bytes = new Uint8Array(count * entryBytes);
  const view = new DataView(bytes.buffer);
  for (let n = 0; n < count; n++) view.setUint32(n * entryBytes, n + 1 < count ? start + n + 1 : chainEnd, true);
  return { at: fatAt + start * entryBytes, bytes };
}

function contentPatches(layout: ExfatLayout, runs: readonly ClusterRun[], bytes: Uint8Array): VolumePatch[] {
  let at = 0;
  return runs.map(({ start, count }) => {
    const piece = bytes.subarray(at, at + count * layout.clusterBytes);
    at += piece.length;
    return { at: clusterAt(layout, start), bytes: piece };
  });
}

async function bootPatches(reader: BlockReader, plan: PlannedLayout, usedCount: number): Promise<VolumePatch[]> {
  const region = await readBytes(reader, 0, regionSectors * sectorBytes);
  const sector = region.slice(0, bootSector.sizeBytes);
  const { sectorCount, fatSector, fatSectors, heapSector, clusterCount } = plan;
  const percentInUse = Math.floor((usedCount * 100) / clusterCount);
  bootSector.patch(sector, { sectorCount, fatSector, fatSectors, heapSector, clusterCount, percentInUse });
  const bytes = encodeBootRegion(sector, sectorBytes, region);
  return [
    { at: 0, bytes },
    { at: bytes.length, bytes },
  ];
}
