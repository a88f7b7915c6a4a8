import { bytes, Struct, u16, u32, u8, type StructRecord } from "../bytes/index.ts";
import { chs, chsOfLba, type Geometry } from "./chs.ts";
import { isExtendedCode, partitionTypeName } from "./partition-type.ts";
import type { Partition } from "./table.ts";

// UEFI 2.10 §5.2.1 (legacy MBR). An extended boot record has the same shape.
export const masterBootRecord = new Struct("master boot record", 512, {
  diskSignature: [0x1b8, u32],
  entries: [0x1be, bytes(64)],
  bootSignature: [0x1fe, u16],
});

// UEFI 2.10 §5.2.1, table 5.2
export const mbrEntry = new Struct("MBR partition entry", 16, {
  status: [0x0, u8],
  start: [0x1, chs],
  type: [0x4, u8],
  end: [0x5, chs],
  startLba: [0x8, u32],
  sectorCount: [0xc, u32],
});

export type MbrEntry = StructRecord<typeof mbrEntry>;

const bootSignature = 0xaa55;
export const bootCodeBytes = 0x1b8;
export const activeStatus = 0x80;
export const primaryLimit = 4;
export const gptProtectiveCode = 0xee;

/**
 * As many logical partitions as are read. A chain of more is no disk that anyone uses: Linux has 256 minor
 * numbers for a whole disk, sfdisk reads 60 partitions in all.
 */
export const logicalLimit = 128;

/** Boot records hold their four entries here, 16 bytes each. */
export function decodeMbrEntries(sector: Uint8Array): MbrEntry[] {
  const entries = masterBootRecord.get(sector, "entries");
  return Array.from({ length: primaryLimit }, (_, n) => mbrEntry.decode(entries, n * mbrEntry.sizeBytes));
}

/** Replaces all four entries and sets the boot signature; every other byte of the sector stays. */
export function patchMbrEntries(sector: Uint8Array, entries: readonly Uint8Array[]): void {
  const table = new Uint8Array(primaryLimit * mbrEntry.sizeBytes);
  entries.forEach((entry, n) => table.set(entry, n * mbrEntry.sizeBytes));
  masterBootRecord.patch(sector, { entries: table, bootSignature });
}

/** An entry for sectors at `lba`; `baseLba` is what its LBA field counts from, the CHS fields never do. */
export function encodeMbrEntry(options: {
  readonly type: number;
  readonly lba: number;
  readonly sectorCount: number;
  readonly geometry: Geometry;
  readonly active?: boolean;
  readonly baseLba?: number;
}): Uint8Array {
  return mbrEntry.encode({
    status: options.active === true ? activeStatus : 0,
    start: chsOfLba(options.lba, options.geometry),
    type: options.type,
    end: chsOfLba(options.lba + options.sectorCount - 1, options.geometry),
    startLba: options.lba - (options.baseLba ?? 0),
    sectorCount: options.sectorCount,
  });
}

export function hasBootSignature(sector: Uint8Array): boolean {
  return masterBootRecord.get(sector, "bootSignature") === bootSignature;
}

export function isUsedEntry(entry: MbrEntry): boolean {
  return entry.type !== 0 && entry.sectorCount !== 0;
}

/** A boot record entry as a partition. */
export function mbrPartition(options: {
  readonly entry: MbrEntry;
  readonly number: number;
  readonly baseLba: number;
  readonly sectorSizeBytes: number;
}): Partition {
  const { entry, number, baseLba, sectorSizeBytes } = options;
  return {
    number,
    startBytes: (baseLba + entry.startLba) * sectorSizeBytes,
    sizeBytes: entry.sectorCount * sectorSizeBytes,
    typeCode: entry.type,
    typeName: partitionTypeName(entry.type),
    active: entry.status === activeStatus,
    attributes: 0n,
    extended: isExtendedCode(entry.type),
  };
}
