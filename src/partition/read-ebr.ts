import { readBytes, type BlockReader } from "../device/index.ts";
import {
  decodeMbrEntries,
  hasBootSignature,
  isUsedEntry,
  logicalLimit,
  masterBootRecord,
  mbrPartition,
} from "./mbr-records.ts";
import { isExtendedCode } from "./partition-type.ts";
import { errorProblem, warningProblem, type Partition, type Problem } from "./table.ts";

/** Records that a chain may have: empty ones, left by deleted partitions, are skipped but counted. */
export const recordLimit = 2 * logicalLimit;

/**
 * Follows the chain of extended boot records. Each one holds a logical partition, counted from that record,
 * and a link to the next record, counted from the start of the extended partition.
 */
export async function readLogicalPartitions(options: {
  readonly reader: BlockReader;
  readonly extended: Partition;
  readonly firstNumber: number;
  readonly sectorSizeBytes: number;
}): Promise<{ partitions: Partition[]; problems: Problem[] }> {
  const { reader, extended, firstNumber, sectorSizeBytes } = options;
  const partitions: Partition[] = [];
  const problems: Problem[] = [];
  const firstLba = extended.startBytes / sectorSizeBytes;
  const endLba = (extended.startBytes + extended.sizeBytes) / sectorSizeBytes;
  const visited = new Set<number>();
  for (let lba: number | undefined = firstLba; lba !== undefined;) {
    const stop = reasonToStop({ lba, firstLba, endLba, visited, found: partitions.length });
    if (stop !== undefined || (lba + 1) * sectorSizeBytes > reader.sizeBytes) {
      problems.push(errorProblem(`${chainOf(extended)} ${stop ?? `leads to sector ${lba}, past the device's end`}`));
      break;
    }
    visited.add(lba);
    const sector = await readBytes(reader, lba * sectorSizeBytes, masterBootRecord.sizeBytes);
    if (!hasBootSignature(sector)) {
      problems.push(brokenRecord(extended, sector, { lba, firstLba }));
      break;
    }
    const entries = decodeMbrEntries(sector).filter(isUsedEntry);
    const data = entries.find((entry) => !isExtendedCode(entry.type));
    if (data !== undefined) {
      const number = firstNumber + partitions.length;
      const partition = mbrPartition({ entry: data, number, baseLba: lba, sectorSizeBytes });
      partitions.push(partition);
      if (!isInside(partition, extended)) {
        problems.push(errorProblem(`logical partition ${number} lies outside the extended partition`));
      }
    }
    const link = entries.find((entry) => isExtendedCode(entry.type));
    lba = link === undefined ? undefined : firstLba + link.startLba;
  }
  return { partitions, problems };
}

function reasonToStop(options: {
  readonly lba: number;
  readonly firstLba: number;
  readonly endLba: number;
  readonly visited: ReadonlySet<number>;
  readonly found: number;
}): string | undefined {
  const { lba, firstLba, endLba, visited, found } = options;
  if (visited.has(lba)) return `comes back to sector ${lba}: it is a loop`;
  if (lba < firstLba || lba >= endLba) return `leads to sector ${lba}, outside it`;
  if (found >= logicalLimit) return `has more than ${logicalLimit} logical partitions, the rest is not read`;
  if (visited.size >= recordLimit) return `has more than ${recordLimit} records, the rest is not read`;
  return undefined;
}

/** An extended partition that was made but never used starts with an empty sector, which is harmless. */
function brokenRecord(
  extended: Partition,
  sector: Uint8Array,
  place: { readonly lba: number; readonly firstLba: number },
): Problem {
  if (place.lba === place.firstLba && sector.every((byte) => byte === 0)) {
    return warningProblem(`extended partition ${extended.number} was never given a boot record`);
  }
  return errorProblem(`${chainOf(extended)} leads to sector ${place.lba}, which is no boot record`);
}

function chainOf(extended: Partition): string {
  return `the chain of logical partitions in extended partition ${extended.number}`;
}

function isInside(partition: Partition, extended: Partition): boolean {
  const endBytes = partition.startBytes + partition.sizeBytes;
  return partition.startBytes > extended.startBytes && endBytes <= extended.startBytes + extended.sizeBytes;
}
