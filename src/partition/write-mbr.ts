import type { BlockDevice } from "../device/index.ts";
import { encodeMbrEntry, masterBootRecord, mbrEntry, patchMbrEntries, primaryLimit } from "./mbr-records.ts";
import type { MbrPlan, PlannedMbrPartition } from "./plan.ts";

type Logical = PlannedMbrPartition & { readonly recordLba: number };

/** Writes the extended boot records, then sector 0, whose other bytes are as given. */
export async function writeMbr(device: BlockDevice, plan: MbrPlan, sector: Uint8Array): Promise<void> {
  const logical = plan.partitions.filter((partition): partition is Logical => partition.recordLba !== undefined);
  for (const [index, partition] of logical.entries()) {
    await device.write(partition.recordLba * 512, extendedBootRecord(plan, partition, logical[index + 1]));
  }
  await device.flush();

  const primary = plan.partitions.filter((partition) => partition.recordLba === undefined);
  const inTable = plan.extended === undefined ? primary : [...primary, plan.extended];
  const entries = Array.from({ length: primaryLimit }, (_, n) => {
    const partition = inTable.find(({ number }) => number === n + 1);
    return partition === undefined ? new Uint8Array(mbrEntry.sizeBytes) : entryOf(plan, partition);
  });
  patchMbrEntries(sector, entries);
  masterBootRecord.patch(sector, { diskSignature: plan.diskSignature });
  await device.write(0, sector);
}

function entryOf(plan: MbrPlan, { typeCode, startLba, sectorCount, active }: PlannedMbrPartition): Uint8Array {
  return encodeMbrEntry({ type: typeCode, lba: startLba, sectorCount, active, geometry: plan.geometry });
}

/** One logical partition, counted from this record, and a link to the next, counted from the extended partition. */
function extendedBootRecord(plan: MbrPlan, partition: Logical, next: Logical | undefined): Uint8Array {
  const { geometry } = plan;
  const { typeCode, startLba, sectorCount, recordLba } = partition;
  const entries = [encodeMbrEntry({ type: typeCode, lba: startLba, sectorCount, geometry, baseLba: recordLba })];
  if (next !== undefined) {
    const linkSectors = next.startLba + next.sectorCount - next.recordLba;
    const baseLba = plan.extended?.startLba ?? 0;
    entries.push(encodeMbrEntry({ type: 0x05, lba: next.recordLba, sectorCount: linkSectors, geometry, baseLba }));
  }
  const record = new Uint8Array(masterBootRecord.sizeBytes);
  patchMbrEntries(record, entries);
  return record;
}
