import { Failure } from "../../base/index.ts";
import { readBytes, type BlockReader, type MappedStretch } from "../../device/index.ts";
import { bootSector, infoSector, largeTail } from "./boot-sector.ts";
import { firstCluster } from "../cluster-run.ts";
import type { VolumePatch, WidenedVolume } from "../widened-volume.ts";
import { layoutOf, type FatLayout } from "./layout.ts";
import { planLayout, sectorBytes, tableCount, type PlannedLayout } from "./plan-layout.ts";
import { bootSectorBytes } from "./probe.ts";
import { countFree } from "./used-extents.ts";

const entryBytes = 4;

/**
 * Plans a FAT32 of at most `sizeBytes` with the files of another one. Its tables are longer, so all clusters stand
 * further behind; they keep their numbers, so no directory and no chain changes. Undefined where it is no FAT32, has
 * not the shape that new ones have, or would not become larger.
 */
export async function widenFat(reader: BlockReader, sizeBytes: number): Promise<WidenedVolume | undefined> {
  const boot = await readBytes(reader, 0, bootSectorBytes);
  const before = layoutOf(boot);
  const after = layoutFor(before, sizeBytes);
  if (after === undefined || after.clusterCount <= before.clusterCount) return undefined;
  const afterTableAt = after.reservedSectors * sectorBytes;
  const afterTableBytes = after.tableSectors * sectorBytes;
  const keptEntriesBytes = (firstCluster + before.clusterCount) * entryBytes;
  const kept = Array.from({ length: tableCount }, (_, n): MappedStretch => {
    return { at: afterTableAt + n * afterTableBytes, from: before.tableAt, lengthBytes: keptEntriesBytes };
  });
  const reservedBytes = Math.min(before.tableAt, afterTableAt);
  return {
    sizeBytes: after.sectorCount * sectorBytes,
    stretches: [
      { at: 0, from: 0, lengthBytes: reservedBytes },
      ...kept,
      {
        at: afterTableAt + tableCount * afterTableBytes,
        from: before.dataAt,
        lengthBytes: before.clusterCount * before.clusterBytes,
      },
    ],
    patches: [...bootPatches(boot, before, after), ...(await infoPatches(reader, before, after))],
  };
}

function layoutFor(before: FatLayout, sizeBytes: number): PlannedLayout | undefined {
  const { kind, clusterBytes, isMirrored } = before;
  if (kind !== "fat32" || before.sectorBytes !== sectorBytes || before.tableCount !== tableCount || !isMirrored) {
    return undefined;
  }
  try {
    const after = planLayout({ kind, clusterSizeBytes: clusterBytes }, sizeBytes);
    const reservedBytes = after.reservedSectors * sectorBytes;
    const last = Math.max(before.infoAt ?? 0, (before.backupAt ?? 0) + (before.infoAt ?? 0));
    return last + sectorBytes <= reservedBytes ? after : undefined;
  } catch (error) {
    if (error instanceof Failure && error.code === "usage") return undefined; // too many clusters of this size
    throw error;
  }
}

function bootPatches(boot: Uint8Array, before: FatLayout, after: PlannedLayout): readonly VolumePatch[] {
  const bytes = Uint8Array.from(boot.subarray(0, sectorBytes));
  const { reservedSectors, sectorCount, tableSectors } = after;
  bootSector.patch(bytes, { reservedSectors, sectorCount16: 0, sectorCount32: sectorCount });
  largeTail.patch(bytes, { tableSectors32: tableSectors });
  return [0, ...(before.backupAt === undefined ? [] : [before.backupAt])].map((at) => ({ at, bytes }));
}

/** How much is free, counted anew. */
async function infoPatches(
  reader: BlockReader,
  before: FatLayout,
  after: PlannedLayout,
): Promise<readonly VolumePatch[]> {
  const { infoAt, backupAt } = before;
  if (infoAt === undefined) return [];
  const freeClusters = (await countFree(reader, before)) + after.clusterCount - before.clusterCount;
  const bytes = await readBytes(reader, infoAt, sectorBytes);
  infoSector.patch(bytes, { freeClusters });
  return [infoAt, ...(backupAt === undefined ? [] : [backupAt + infoAt])].map((at) => ({ at, bytes }));
}
