import { Failure } from "../../base/index.ts";
import { formatSize } from "../../bytes/index.ts";
import { isExtended, lastSectorFor, type DumpedPartition, type TableDump } from "../clonezilla/index.ts";

/**
 * What becomes of partitions on a disk of another size: `none` leaves them as they were, `last` changes the last one that
 * can be changed, `proportional` all of them.
 */
export type Fit = "none" | "last" | "proportional";

/** How the size of a partition can be changed. */
export interface Flexibility {
  /** The least that it can have; absent: it keeps its size. */
  readonly leastSectors?: number;
  /** Of those that are small by nature, as for firmware or swap: changed only where there is no other way. */
  readonly isSmall?: boolean;
}

export interface FitRequest {
  readonly sizeBytes: number;
  readonly fit: Fit;
  /** By number. */
  readonly flexible: ReadonlyMap<number, Flexibility>;
}

const sectorBytes = 512;
/** Partitions that are moved begin at whole MiB. */
const grain = 2048;

/** A partition that holds something, in the order of the disk. */
interface Slot {
  readonly partition: DumpedPartition;
  readonly isLogical: boolean;
  readonly least: number;
  readonly canChange: boolean;
  readonly isSmall: boolean;
}

/**
 * The table for a disk of another size. The first partition, and whatever nothing before it changes, keep their places.
 * Throws `no-space` saying what it takes at least.
 */
export function fitPartitions(dump: TableDump, request: FitRequest): TableDump {
  const { fit, sizeBytes, flexible } = request;
  if (fit === "none") return dump;
  const slots = slotsOf(dump, flexible);
  const [first] = slots;
  if (first === undefined) return dump;
  const logicalCount = slots.filter(({ isLogical }) => isLogical).length;
  const room = lastSectorFor(dump, sizeBytes) + 1 - roundUp(firstStart(dump, first)) - logicalCount * grain;
  for (const changed of choicesOf(slots, fit, room)) {
    // Free stretches stay where they are, if there is room enough beside them.
    for (const isCompact of [false, true]) {
      const sizes = sizesFor(slots, changed, room - (isCompact ? 0 : gapsBefore(slots, changed[0])));
      if (sizes !== undefined) return placed(dump, slots, { sizes, isCompact });
    }
  }
  throw tooSmall(slots, { sizeBytes, fit, outsideSectors: sizeBytes / sectorBytes - room });
}

/** Which partitions change their size, in the order in which that is tried. */
function choicesOf(slots: readonly Slot[], fit: Fit, room: number): readonly (readonly Slot[])[] {
  const any = slots.filter(({ canChange }) => canChange);
  const large = any.filter(({ isSmall }) => !isSmall);
  const preferred = large.length > 0 ? large : any;
  if (fit === "last") return [preferred.slice(-1)];
  const isShrinking = slots.reduce((sum, { partition }) => sum + roundUp(partition.sectorCount), 0) > room;
  return isShrinking ? [large, any] : [preferred];
}

function gapsBefore(slots: readonly Slot[], changed: Slot | undefined): number {
  let gaps = 0;
  let end: number | undefined;
  for (const { partition, isLogical } of slots.slice(
    0,
    changed === undefined ? slots.length : slots.indexOf(changed) + 1,
  )) {
    if (end !== undefined) gaps += Math.max(0, roundUp(partition.startLba - end) - (isLogical ? grain : 0));
    end = endOf(partition);
  }
  return gaps;
}

function slotsOf(dump: TableDump, flexible: FitRequest["flexible"]): readonly Slot[] {
  const hasLogical = dump.kind === "mbr" && dump.partitions.some(({ number }) => number > 4);
  return dump.partitions
    .filter((partition) => !(hasLogical && isExtended(partition, dump.kind)))
    .toSorted((a, b) => a.startLba - b.startLba)
    .map((partition) => {
      const { leastSectors } = flexible.get(partition.number) ?? {};
      const isLogical = dump.kind === "mbr" && partition.number > 4;
      const least = leastSectors === undefined ? partition.sectorCount : Math.min(leastSectors, partition.sectorCount);
      return {
        partition,
        isLogical,
        least: roundUp(least),
        canChange: leastSectors !== undefined,
        isSmall: flexible.get(partition.number)?.isSmall === true,
      };
    });
}

/** Of the first partition, or of the extended one around it. */
function firstStart(dump: TableDump, { partition, isLogical }: Slot): number {
  if (!isLogical) return partition.startLba;
  return dump.partitions.find((one) => isExtended(one, dump.kind))?.startLba ?? partition.startLba;
}

function sizesFor(slots: readonly Slot[], changed: readonly Slot[], room: number): readonly number[] | undefined {
  const kept = slots.filter((slot) => !changed.includes(slot));
  const left = room - kept.reduce((sum, { partition }) => sum + roundUp(partition.sectorCount), 0);
  const sizes = left < 0 ? undefined : shares(changed, left);
  return sizes === undefined ? undefined : slots.map((slot) => sizes.get(slot) ?? slot.partition.sectorCount);
}

/** Shares in proportion to what each had, none less than it needs. */
function shares(slots: readonly Slot[], room: number): ReadonlyMap<Slot, number> | undefined {
  const sizes = new Map<Slot, number>();
  let waiting = slots;
  let left = room;
  while (waiting.length > 0) {
    const all = waiting.reduce((sum, { partition }) => sum + partition.sectorCount, 0);
    const share = (slot: Slot): number => roundDown((left * slot.partition.sectorCount) / all);
    const short = waiting.filter((slot) => share(slot) < slot.least);
    for (const slot of short.length > 0 ? short : waiting) sizes.set(slot, short.length > 0 ? slot.least : share(slot));
    if (short.length === 0) break;
    left -= short.reduce((sum, { least }) => sum + least, 0);
    waiting = waiting.filter((slot) => !short.includes(slot));
  }
  const taken = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  return taken <= room ? sizes : undefined;
}

function placed(
  dump: TableDump,
  slots: readonly Slot[],
  { sizes, isCompact }: { readonly sizes: readonly number[]; readonly isCompact: boolean },
): TableDump {
  const extended = dump.partitions.find((one) => isExtended(one, dump.kind));
  const after = new Map<number, DumpedPartition>();
  const logical: DumpedPartition[] = [];
  let end = 0;
  let isMoving = false;
  let extendedStart = extended?.startLba ?? 0;
  for (const [n, { partition, isLogical }] of slots.entries()) {
    const isFirstLogical = isLogical && logical.length === 0;
    if (isFirstLogical && isMoving) extendedStart = roundUp(end);
    const record = isFirstLogical ? extendedStart : end;
    const startLba: number = isMoving ? roundUp(isLogical ? record + 1 : record) : partition.startLba;
    const moved = { ...partition, startLba, sectorCount: sizes[n] ?? partition.sectorCount };
    isMoving ||= isCompact || moved.sectorCount !== partition.sectorCount;
    after.set(partition.number, moved);
    if (isLogical) logical.push(moved);
    end = endOf(moved);
  }
  if (extended !== undefined && logical.length > 0) {
    const isSame = logical.every((one) => dump.partitions.some((old) => endOf(old) === endOf(one)));
    const sectorCount = Math.max(...logical.map(endOf)) - extendedStart;
    const isKept = isSame && extendedStart === extended.startLba;
    after.set(extended.number, isKept ? extended : { ...extended, startLba: extendedStart, sectorCount });
  }
  return { ...dump, partitions: dump.partitions.map((one) => after.get(one.number) ?? one) };
}

function endOf({ startLba, sectorCount }: DumpedPartition): number {
  return startLba + sectorCount;
}

function tooSmall(
  slots: readonly Slot[],
  { sizeBytes, fit, outsideSectors }: { sizeBytes: number; fit: Fit; outsideSectors: number },
): Failure {
  const needs = slots.map(({ least, partition: { number } }) => `${number} ${formatSize(least * sectorBytes)}`);
  const least = slots.reduce((sum, slot) => sum + slot.least, outsideSectors) * sectorBytes;
  const isPossible = fit === "last" && least <= sizeBytes;
  return new Failure(
    "no-space",
    `cannot restore the disk: it takes at least ${formatSize(least)} (${least} bytes), there are ${formatSize(sizeBytes)} (${sizeBytes} bytes)`,
    {
      hint: isPossible
        ? "--fit proportional makes all its file systems smaller, not only the last"
        : `its partitions take at least: ${needs.join(", ")}; only ext, FAT and exFAT are made smaller`,
    },
  );
}

function roundUp(sectors: number): number {
  return Math.ceil(sectors / grain) * grain;
}

function roundDown(sectors: number): number {
  return Math.floor(sectors / grain) * grain;
}
