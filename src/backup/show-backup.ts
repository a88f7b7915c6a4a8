import { Failure } from "../base/index.ts";
import {
  isExtended,
  partitionName,
  partOf,
  readBadSectors,
  readFolder,
  readIdentities,
  readSavedTime,
  type BackupDisk,
  type BackupFolder,
  type Identity,
} from "./clonezilla/index.ts";
import { markIn } from "./marks.ts";
import { openStore, SubStore, unfinishedEnding, type StoreAccess } from "./store/index.ts";

/** What is in a backup, in plain values: `--json` prints it as it stands. */
export interface BackupReport {
  readonly path: string;
  /** As the backup has it, in the local time of where it was made: `2026-11-30 12:05`. Absent where it does not tell. */
  readonly savedAt?: string;
  /** All files of it. */
  readonly packedBytes: number;
  readonly disks: readonly SavedDiskReport[];
  /** Data that belongs to no partition of these disks, such as logical volumes. */
  readonly others: readonly SavedPartReport[];
  /** What could not be read when it was saved; absent where all could be. */
  readonly unreadable?: { readonly sectors: number; readonly files: readonly string[] };
  /** What is missing or contradicts itself, as far as the folder tells. */
  readonly problems: readonly string[];
}

export interface SavedDiskReport {
  /** `sda` */
  readonly name: string;
  readonly sizeBytes: number;
  readonly table: "mbr" | "gpt";
  readonly diskId?: string;
  readonly partitions: readonly SavedPartReport[];
}

export interface SavedPartReport extends Identity {
  /** `sda1` */
  readonly name: string;
  readonly number?: number;
  readonly sizeBytes?: number;
  /** `used` blocks of a file system, `whole` partition, `swap` to be made anew, `extended`, or `missing`. */
  readonly saved: "used" | "whole" | "swap" | "extended" | "missing";
  /** As Clonezilla names it: `ext4`, `vfat`, `dd`. */
  readonly kind?: string;
  /** `zst`, `gz`, `uncomp`, … Absent in old folders. */
  readonly packed?: string;
  readonly packedBytes?: number;
  readonly volumes?: number;
}

/** Looks at the folder of a backup; its data is not read. */
export async function showBackup(backup: string, access: StoreAccess): Promise<BackupReport> {
  await using store = await openStore(backup, access);
  const folder = await readFolder(store);
  const identities = await readIdentities(folder);
  const savedAt = await readSavedTime(folder);
  const bad = await readBadSectors(folder);
  const sectors = bad.reduce((sum, one) => sum + one.sectors, 0);
  const disks = folder.disks.map((disk) => reportDisk(folder, disk, identities));
  const shown = new Set(disks.flatMap(({ partitions }) => partitions.map(({ name }) => name)));
  return {
    path: backup,
    ...(savedAt === undefined ? {} : { savedAt }),
    packedBytes: [...folder.files.values()].reduce((sum, bytes) => sum + bytes, 0),
    disks,
    others: folder.parts
      .filter(({ name }) => !shown.has(name))
      .map((part) => ({ name: part.name, ...dataReport(part), ...identities.get(part.name) })),
    ...(sectors === 0 ? {} : { unreadable: { sectors, files: bad.flatMap(({ files }) => files) } }),
    problems: folder.problems,
  };
}

function reportDisk(
  folder: BackupFolder,
  disk: BackupDisk,
  identities: ReadonlyMap<string, Identity>,
): SavedDiskReport {
  const { name, sizeBytes, dump } = disk;
  const partitions = dump.partitions.map((partition): SavedPartReport => {
    const { number, sectorCount } = partition;
    const partName = partitionName(name, number);
    const common = { name: partName, number, sizeBytes: sectorCount * 512, ...identities.get(partName) };
    const part = partOf(folder, disk, number);
    if (part !== undefined) return { ...common, ...dataReport(part) };
    if (isExtended(partition, dump.kind)) return { ...common, saved: "extended" };
    const isSwap = folder.swaps.some((swap) => swap.name === partName);
    return { ...common, saved: isSwap ? "swap" : "missing" };
  });
  return {
    name,
    sizeBytes,
    table: dump.kind,
    ...(dump.diskId === undefined ? {} : { diskId: dump.diskId }),
    partitions,
  };
}

function dataReport({ kind, packed, packedBytes, fileNames }: BackupFolder["parts"][number]) {
  const saved = kind === "dd" ? ("whole" as const) : ("used" as const);
  return { saved, kind, ...(packed === undefined ? {} : { packed }), packedBytes, volumes: fileNames.length };
}

/** One backup among others. */
export interface ListedBackup {
  readonly name: string;
  readonly savedAt?: string;
  readonly packedBytes: number;
  readonly disks: readonly { readonly name: string; readonly sizeBytes: number }[];
  /** Of single partitions: which. */
  readonly parts: readonly string[];
  /** False while it is being written, and where that was broken off. */
  readonly isFinished: boolean;
  readonly problems: readonly string[];
}

/** The backups in a folder, the oldest first. */
export async function listBackups(home: string, access: StoreAccess): Promise<ListedBackup[]> {
  await using store = await openStore(home, access);
  const listed: ListedBackup[] = [];
  for (const { name } of (await store.list("")).filter(({ kind }) => kind === "folder")) {
    const isFinished = !name.endsWith(unfinishedEnding);
    try {
      const folder = await readFolder(new SubStore(store, name));
      const { disks, parts } = folder;
      const mark = markIn(folder.files);
      const problems = [...folder.problems, ...(mark === undefined ? [] : [mark])];
      const savedAt = await readSavedTime(folder);
      listed.push({
        name,
        ...(savedAt === undefined ? {} : { savedAt }),
        packedBytes: [...folder.files.values()].reduce((sum, bytes) => sum + bytes, 0),
        disks: disks.map((disk) => ({ name: disk.name, sizeBytes: disk.sizeBytes })),
        parts: disks.length > 0 ? [] : parts.map((part) => part.name),
        isFinished,
        problems: isFinished ? problems : [],
      });
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      if (isFinished) continue; // some other folder
      listed.push({ name, packedBytes: 0, disks: [], parts: [], isFinished, problems: [] });
    }
  }
  return listed.sort((a, b) => (a.savedAt ?? a.name).localeCompare(b.savedAt ?? b.name));
}
