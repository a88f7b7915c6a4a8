import type { BlockReader } from "../device/index.ts";
import { isVolumeBootSector } from "./boot-sector.ts";
import { lbaOfChs, trackSectorLimit, headLimit, lastCylinder, type Chs, type Geometry } from "./chs.ts";
import {
  activeStatus,
  decodeMbrEntries,
  gptProtectiveCode,
  hasBootSignature,
  isUsedEntry,
  masterBootRecord,
  mbrPartition,
  primaryLimit,
  type MbrEntry,
} from "./mbr-records.ts";
import { readLogicalPartitions } from "./read-ebr.ts";
import { placementProblems, warningProblem, type Partition, type PartitionTable, type Problem } from "./table.ts";

/**
 * True where sector 0 holds a partition table, be it an empty one. The boot sector of a file system ends with
 * the same signature, and code or text may stand where a table would.
 */
export function isPartitionTable(sector: Uint8Array, sectorCount: number): boolean {
  if (!hasBootSignature(sector)) return false;
  const entries = decodeMbrEntries(sector);
  const used = entries.filter(isUsedEntry);
  if (!isVolumeBootSector(sector)) return entries.every(hasKnownStatus) || used.some(hasKnownStatus);
  const isSound = (entry: MbrEntry): boolean =>
    hasKnownStatus(entry) &&
    entry.startLba > 0 &&
    // A protective entry may claim all that 32 bits can, whatever the disk.
    (entry.type === gptProtectiveCode || entry.startLba + entry.sectorCount <= sectorCount);
  return used.length > 0 && used.every(isSound);
}

/** The MBR in `sector` with all its logical partitions. */
export async function readMbr(
  reader: BlockReader,
  sector: Uint8Array,
  sectorSizeBytes: number,
): Promise<PartitionTable> {
  const entries = decodeMbrEntries(sector);
  const partitions: Partition[] = [];
  const problems: Problem[] = [];
  entries.forEach((entry, index) => {
    if (!isUsedEntry(entry)) return;
    if (!hasKnownStatus(entry)) {
      const status = `0x${entry.status.toString(16).padStart(2, "0")}`;
      problems.push(warningProblem(`partition ${index + 1} has the active flag ${status}, 0x00 or 0x80 are known`));
    }
    partitions.push(mbrPartition({ entry, number: index + 1, baseLba: 0, sectorSizeBytes }));
  });
  if (partitions.filter((partition) => partition.active).length > 1) {
    problems.push(warningProblem("more than one partition is active"));
  }
  for (const extended of partitions.filter((partition) => partition.extended)) {
    const firstNumber = Math.max(primaryLimit, ...partitions.map((partition) => partition.number)) + 1;
    const logical = await readLogicalPartitions({ reader, extended, firstNumber, sectorSizeBytes });
    partitions.push(...logical.partitions);
    problems.push(...logical.problems);
  }
  const geometry = geometryOf(entries);
  return {
    kind: "mbr",
    sectorSizeBytes,
    ...(geometry === undefined ? {} : { geometry }),
    diskId: `0x${masterBootRecord.get(sector, "diskSignature").toString(16).padStart(8, "0")}`,
    partitions,
    problems: [...problems, ...placementProblems(partitions, reader.sizeBytes)],
  };
}

function hasKnownStatus(entry: MbrEntry): boolean {
  return entry.status === 0 || entry.status === activeStatus;
}

/**
 * The geometry in which an entry's CHS fields and LBA fields say the same, taking the partition's end for
 * the end of a cylinder, as the tools of old made them.
 */
function geometryOf(entries: readonly MbrEntry[]): Geometry | undefined {
  for (const entry of entries.filter(isUsedEntry)) {
    const geometry = { heads: entry.end.head + 1, sectors: entry.end.sector };
    if (geometry.heads > headLimit || geometry.sectors < 1 || geometry.sectors > trackSectorLimit) continue;
    const endLba = entry.startLba + entry.sectorCount - 1;
    if (agrees(entry.start, entry.startLba, geometry) && agrees(entry.end, endLba, geometry)) return geometry;
  }
  return undefined;
}

function agrees(place: Chs, lba: number, geometry: Geometry): boolean {
  const placeLba = lbaOfChs(place, geometry);
  return placeLba === lba || (place.cylinder === lastCylinder && placeLba < lba);
}
