import { Failure } from "../base/index.ts";
import { readBytes, type BlockDevice } from "../device/index.ts";
import { chsOfLba, cylinderSectors, defaultGeometry, lastCylinder, type Geometry } from "./chs.ts";
import { decodeMbrEntries, isUsedEntry, masterBootRecord, mbrEntry, type MbrEntry } from "./mbr-records.ts";
import { isExtendedCode } from "./partition-type.ts";
import { alignedGrainSectors } from "./plan.ts";
import { recordLimit } from "./read-ebr.ts";
import type { Partition, PartitionTable } from "./table.ts";

const sectorBytes = 512;
/** Entries count sectors in 32 bits. */
export const mbrLimitBytes = 2 ** 32 * sectorBytes;

/** Extended partitions, and those that reach past what CHS fields can say. */
const extendedCode = 0x05;
const extendedLbaCode = 0x0f;

/** What the end of a partition is a whole number of: cylinders, where it is one of a disk divided in those; else 0. */
export function cylinderBytesOf(
  table: PartitionTable,
  { startBytes, sizeBytes }: Pick<Partition, "startBytes" | "sizeBytes">,
): number {
  const unit = table.geometry === undefined ? 0 : cylinderSectors(table.geometry) * sectorBytes;
  const isAligned = startBytes % (alignedGrainSectors * sectorBytes) === 0;
  return unit === 0 || isAligned || (startBytes + sizeBytes) % unit !== 0 ? 0 : unit;
}

/**
 * Gives a partition of an MBR another end, and with a logical one the extended partition around it. A primary one may
 * get another type with it.
 */
export async function resizeMbr(
  device: BlockDevice,
  table: PartitionTable,
  change: { readonly partition: number; readonly endBytes: number; readonly typeCode?: number },
): Promise<void> {
  const target = table.partitions.find(({ number }) => number === change.partition);
  if (target === undefined) return;
  const geometry = table.geometry ?? defaultGeometry;
  const endLba = change.endBytes / sectorBytes;
  const around = extendedAround(table, target);
  if (around === undefined) {
    const { typeCode } = change;
    const place = {
      recordLba: 0,
      baseLba: 0,
      index: target.number - 1,
      ...(typeCode === undefined ? {} : { typeCode }),
    };
    await moveEnd(device, place, endLba, geometry);
    return;
  }
  const chain = await chainTo(device, around, target);
  const places = [...chain.links, chain.data];
  const outer = { recordLba: 0, baseLba: 0, index: around.number - 1 };
  const isLonger = change.endBytes > target.startBytes + target.sizeBytes;
  // What is around a partition is never shorter than it.
  for (const place of isLonger ? [outer, ...places] : [...places.toReversed(), outer]) {
    await moveEnd(device, place, endLba, geometry);
  }
}

/** An entry of a boot record, and what its sectors count from. */
interface EntryPlace {
  readonly recordLba: number;
  readonly baseLba: number;
  readonly index: number;
  /** The type that it gets; its own unless told. */
  readonly typeCode?: number;
}

async function moveEnd(device: BlockDevice, place: EntryPlace, endLba: number, geometry: Geometry): Promise<void> {
  const { recordLba, baseLba, index } = place;
  const record = await readBytes(device, recordLba * sectorBytes, masterBootRecord.sizeBytes);
  const entries = masterBootRecord.get(record, "entries").slice();
  const at = index * mbrEntry.sizeBytes;
  const sectorCount = endLba - baseLba - mbrEntry.get(entries, "startLba", at);
  const end = chsOfLba(endLba - 1, geometry);
  const isBeyondChs = endLba > (lastCylinder + 1) * cylinderSectors(geometry);
  const type = place.typeCode ?? mbrEntry.get(entries, "type", at);
  const typeAfter = type === extendedCode && recordLba === 0 && isBeyondChs ? extendedLbaCode : type;
  mbrEntry.patch(entries, { end, sectorCount, type: typeAfter }, at);
  masterBootRecord.patch(record, { entries });
  await device.write(recordLba * sectorBytes, record);
  await device.flush();
}

/** The extended partition that holds a logical one. */
export function extendedAround(table: PartitionTable, { number, startBytes }: Partition): Partition | undefined {
  if (table.kind !== "mbr" || number <= 4) return undefined;
  return table.partitions.find((one) => {
    return one.extended && one.startBytes < startBytes && startBytes < one.startBytes + one.sizeBytes;
  });
}

/** The entry of a logical partition, and the link to its record where it is not the first. */
async function chainTo(
  device: BlockDevice,
  around: Partition,
  target: Partition,
): Promise<{ readonly links: readonly EntryPlace[]; readonly data: EntryPlace }> {
  const firstLba = around.startBytes / sectorBytes;
  let links: EntryPlace[] = [];
  let recordLba = firstLba;
  for (let n = 0; n < recordLimit; n++) {
    const entries = decodeMbrEntries(await readBytes(device, recordLba * sectorBytes, masterBootRecord.sizeBytes));
    const find = (isWanted: (entry: MbrEntry) => boolean) =>
      entries.findIndex((entry) => isUsedEntry(entry) && isWanted(entry));
    const data = find(({ type }) => !isExtendedCode(type));
    const startLba = recordLba + (entries[data]?.startLba ?? 0);
    if (data >= 0 && startLba * sectorBytes === target.startBytes) {
      return { links, data: { recordLba, baseLba: recordLba, index: data } };
    }
    const link = find(({ type }) => isExtendedCode(type));
    if (link < 0) break;
    links = [{ recordLba, baseLba: firstLba, index: link }];
    recordLba = firstLba + (entries[link]?.startLba ?? 0);
  }
  throw new Failure("damaged", `cannot change partition ${target.number}: no boot record describes it`);
}
