import type { StructRecord } from "../../bytes/index.ts";
import {
  activeTableMask,
  bootSector,
  bootSignature,
  extendedSignatureFull,
  largeTail,
  mirroringOff,
  smallTail,
  stateDirty,
} from "./boot-sector.ts";
import { firstCluster } from "../cluster-run.ts";
import { damaged } from "../damaged.ts";

export type FatKind = "fat12" | "fat16" | "fat32";

/** How many clusters fewer than which a table of each kind has: the kind follows from the count alone. */
export const clusterLimits: Readonly<Record<FatKind, number>> = { fat12: 4085, fat16: 65525, fat32: 0x0ffffff5 };

/** Where everything in a FAT file system is, in bytes from its start. */
export interface FatLayout {
  readonly kind: FatKind;
  readonly sectorBytes: number;
  readonly clusterBytes: number;
  readonly sizeBytes: number;
  readonly media: number;
  readonly tableCount: number;
  readonly tableAt: number;
  readonly tableBytes: number;
  /** The table that is read; where the tables are not mirrored it is also the only one that is written. */
  readonly activeTable: number;
  readonly isMirrored: boolean;
  /** FAT12 and FAT16: the root directory, which has a place of its own. FAT32: 0 bytes. */
  readonly rootAt: number;
  readonly rootBytes: number;
  /** FAT32: where the root directory begins. Else 0. */
  readonly rootCluster: number;
  readonly dataAt: number;
  /** How many clusters there are, the first of which has the number 2. */
  readonly clusterCount: number;
  /** FAT32: where the FSInfo sector and the copy of the boot sector are, if it says so. */
  readonly infoAt: number | undefined;
  readonly backupAt: number | undefined;
  /** As the boot sector has it: 11 bytes, padded with spaces. */
  readonly labelBytes: Uint8Array | undefined;
  readonly volumeId: number | undefined;
  /** The boot sector says that the file system was not closed. */
  readonly isDirty: boolean;
}

const smallestSector = 512;
const largestSector = 4096;
const largestClusterSectors = 128;

/** Why these 512 bytes are not the beginning of a FAT file system; undefined where they are. */
export function whyNotFat(sector: Uint8Array): string | undefined {
  const boot = bootSector.decode(sector);
  const { sectorBytes, clusterSectors } = boot;
  const [jump] = boot.jump;
  if (jump !== 0xeb && jump !== 0xe9) return "no jump at its beginning";
  if (boot.oemName.startsWith("NTFS") || boot.oemName.startsWith("EXFAT")) return `the name of ${boot.oemName.trim()}`;
  if (!isPowerOfTwo(sectorBytes) || sectorBytes < smallestSector || sectorBytes > largestSector) {
    return `sectors of ${sectorBytes} bytes`;
  }
  if (!isPowerOfTwo(clusterSectors) || clusterSectors > largestClusterSectors) {
    return `clusters of ${clusterSectors} sectors`;
  }
  if (boot.reservedSectors === 0) return "no reserved sectors";
  if (boot.tableCount === 0) return "no file allocation table";
  if (boot.media < 0xf8 && boot.media !== 0xf0) return `the media type ${boot.media}`;
  if (boot.sectorCount16 === 0 && boot.sectorCount32 === 0) return "no sectors";
  if (boot.tableSectors16 === 0) {
    if (boot.rootEntries !== 0) return "a root directory of fixed size beside the table of FAT32";
    if (largeTail.get(sector, "tableSectors32") === 0) return "a file allocation table of no sectors";
  } else if (boot.rootEntries === 0) {
    return "a root directory for no entries";
  }
  return undefined;
}

/** The layout that a boot sector of at least 512 bytes describes. Throws `damaged` where it contradicts itself. */
export function layoutOf(sector: Uint8Array): FatLayout {
  const why = whyNotFat(sector);
  if (why !== undefined) throw damaged("the boot sector", `it has ${why}`);
  const boot = bootSector.decode(sector);
  const isLarge = boot.tableSectors16 === 0;
  const { sectorBytes } = boot;
  const tableBytes = (isLarge ? largeTail.get(sector, "tableSectors32") : boot.tableSectors16) * sectorBytes;
  const sectorCount = boot.sectorCount16 === 0 ? boot.sectorCount32 : boot.sectorCount16;
  const sizeBytes = sectorCount * sectorBytes;
  const clusterBytes = boot.clusterSectors * sectorBytes;
  const tableAt = boot.reservedSectors * sectorBytes;
  const rootAt = tableAt + boot.tableCount * tableBytes;
  const rootBytes = Math.ceil((boot.rootEntries * 32) / sectorBytes) * sectorBytes;
  const dataAt = rootAt + rootBytes;
  const byRoom = Math.floor((sizeBytes - dataAt) / clusterBytes);
  if (byRoom < 1)
    throw damaged("the boot sector", `${sizeBytes} bytes leave no room for data, which begins at ${dataAt}`);
  const kind = isLarge ? "fat32" : byRoom < clusterLimits.fat12 ? "fat12" : "fat16";
  const byTable = Math.floor((tableBytes * 8) / entryBits[kind]) - firstCluster;
  return {
    kind,
    sectorBytes,
    clusterBytes,
    sizeBytes,
    media: boot.media,
    tableCount: boot.tableCount,
    tableAt,
    tableBytes,
    rootAt,
    rootBytes,
    dataAt,
    clusterCount: Math.min(byRoom, byTable, clusterLimits[kind] - 1),
    ...(isLarge ? largeParts(sector, boot) : smallParts(sector)),
  };
}

/** How many bits an entry of each kind of table takes. */
export const entryBits: Readonly<Record<FatKind, number>> = { fat12: 12, fat16: 16, fat32: 32 };

type TailParts = Pick<
  FatLayout,
  "activeTable" | "isMirrored" | "rootCluster" | "infoAt" | "backupAt" | "labelBytes" | "volumeId" | "isDirty"
>;

function smallParts(sector: Uint8Array): TailParts {
  const tail = smallTail.decode(sector);
  const isFull = tail.extendedSignature === extendedSignatureFull;
  return {
    activeTable: 0,
    isMirrored: true,
    rootCluster: 0,
    infoAt: undefined,
    backupAt: undefined,
    labelBytes: isFull ? tail.label : undefined,
    volumeId: isFull ? tail.volumeId : undefined,
    isDirty: isFull && (tail.state & stateDirty) !== 0,
  };
}

function largeParts(sector: Uint8Array, boot: StructRecord<typeof bootSector>): TailParts {
  const tail = largeTail.decode(sector);
  const isFull = tail.extendedSignature === extendedSignatureFull;
  const isMirrored = (tail.tableFlags & mirroringOff) === 0;
  const activeTable = isMirrored ? 0 : tail.tableFlags & activeTableMask;
  if (activeTable >= boot.tableCount)
    throw damaged("the boot sector", `it names table ${activeTable} of ${boot.tableCount}`);
  const reservedAt = (number: number): number | undefined => {
    return number === 0 || number >= boot.reservedSectors ? undefined : number * boot.sectorBytes;
  };
  return {
    activeTable,
    isMirrored,
    rootCluster: tail.rootCluster,
    infoAt: reservedAt(tail.infoSector),
    backupAt: reservedAt(tail.backupSector),
    labelBytes: isFull ? tail.label : undefined,
    volumeId: isFull ? tail.volumeId : undefined,
    isDirty: isFull && (tail.state & stateDirty) !== 0,
  };
}

/** Where a cluster is on the device. */
export function clusterAt(layout: FatLayout, cluster: number): number {
  return layout.dataAt + (cluster - firstCluster) * layout.clusterBytes;
}

/** Whether a number stands for a cluster that there is. */
export function isCluster(layout: FatLayout, number: number): boolean {
  return number >= firstCluster && number < firstCluster + layout.clusterCount;
}

/** Whether a boot sector ends as a BIOS wants it. */
export function hasBootSignature(sector: Uint8Array): boolean {
  return bootSector.get(sector, "signature") === bootSignature;
}

function isPowerOfTwo(value: number): boolean {
  return value > 0 && (value & (value - 1)) === 0;
}
