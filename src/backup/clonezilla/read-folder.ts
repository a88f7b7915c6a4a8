import { Failure } from "../../base/index.ts";
import { unfinishedEnding, type BackupStore } from "../store/index.ts";
import { partitionNumber } from "./names.ts";
import { disksWithTables, dumpName, readDisk, type BackupDisk } from "./read-disk.ts";
import { readPhysical } from "./read-lvm.ts";
import { partsOf, type BackupPart } from "./read-parts.ts";
import { namesIn, textOf, type FolderFiles } from "./small-files.ts";

/** A backup as its folder tells, before any data is looked at. */
export interface BackupFolder extends FolderFiles {
  /** How messages call it. */
  readonly path: string;
  /** Disks of which there is all; empty in a backup of single partitions. */
  readonly disks: readonly BackupDisk[];
  /** All disks whose tables are there, whether there is all of them or not. */
  readonly tables: readonly BackupDisk[];
  /** In the order in which the folder lists them. */
  readonly parts: readonly BackupPart[];
  /** Swap to be made anew. */
  readonly swaps: readonly BackupSwap[];
  /** What is missing or contradicts itself, one sentence each. */
  readonly problems: readonly string[];
}

export interface BackupSwap {
  readonly name: string;
  readonly uuid: string | undefined;
  readonly label: string;
}

export function isSwap(content: BackupPart | BackupSwap): content is BackupSwap {
  return !("kind" in content);
}

const fileCountLimit = 100_000;

/**
 * Reads what a backup's folder, which is all of a store, says of itself. Throws `not-found` where there is none,
 * `unsupported` where it is none.
 */
export async function readFolder(store: BackupStore): Promise<BackupFolder> {
  const folder = { store, files: await listFiles(store) };
  const { files } = folder;
  if (!files.has("parts") && !files.has("disk")) throw noBackup(store.name, files);
  const problems: string[] = [];
  const parts = partsOf(files, problems);
  const diskNames = await namesIn(folder, "disk");
  const disks: BackupDisk[] = [];
  for (const name of diskNames) {
    // A file system may take a whole disk, which has no table then.
    if (!files.has(dumpName(name)) && parts.some((part) => part.name === name)) continue;
    const disk = await attempt(() => readDisk(folder, name), `"${dumpName(name)}"`, problems);
    if (disk !== undefined) disks.push(disk);
    else if (!files.has(dumpName(name))) problems.push(`there is no table of ${name} ("${dumpName(name)}")`);
  }
  const tables = [...disks];
  for (const name of disksWithTables(folder).filter((one) => !diskNames.includes(one))) {
    const table = await attempt(() => readDisk(folder, name), name, []);
    if (table !== undefined) tables.push(table);
  }
  const physical: BackupPart[] = [];
  for (const name of await namesIn(folder, "parts")) {
    if (parts.some((part) => part.name === name)) continue;
    const found = await attempt(() => readPhysical(folder, name, parts), `${name}, of LVM`, problems);
    if (found === "no group") problems.push((await luksNote(folder, name)) ?? `there is no data of ${name}`);
    else if (found !== undefined) physical.push(found);
  }
  const swaps: BackupSwap[] = [];
  for (const name of files.keys()) swaps.push(...(await readSwap(folder, name)));
  return { path: store.name, ...folder, disks, tables, parts: [...parts, ...physical], swaps, problems };
}

/** Of a LUKS container its content is saved, under the name that it was mapped to. */
async function luksNote(folder: FolderFiles, name: string): Promise<string | undefined> {
  for (const line of (await textOf(folder, "luks-dev.list")).split("\n")) {
    const [, device = "", mapped = ""] = /^\/dev\/(\S+)\s+\S+\s+(\S+)/.exec(line) ?? [];
    if (device.replaceAll("/", "-") !== name) continue;
    return `${name} was encrypted by LUKS: what was in it is saved as ${mapped}, not encrypted, and its container is not made again`;
  }
  return undefined;
}

async function attempt<T>(work: () => Promise<T>, about: string, problems: string[]): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    problems.push(`${about}: ${error.message}`);
    return undefined;
  }
}

function noBackup(path: string, files: ReadonlyMap<string, number>): Failure {
  for (const program of ["ecryptfs", "gocryptfs"]) {
    if (!files.has(`${program}.info`) && !files.has(`${program}.conf`)) continue;
    return new Failure("unsupported", `cannot read the backup "${path}": its files are encrypted by ${program}`, {
      hint: `mount it by ${program}, and name the folder where it is mounted`,
    });
  }
  return new Failure("unsupported", `cannot read the backup "${path}": it has no file "parts"`, {
    hint: path.endsWith(unfinishedEnding)
      ? "it was not finished"
      : "name the folder of one backup; backup list shows them",
  });
}

async function listFiles(store: BackupStore): Promise<ReadonlyMap<string, number>> {
  const files = (await store.list("")).filter(({ kind }) => kind === "file");
  if (files.length > fileCountLimit) {
    throw new Failure("unsupported", `cannot read the backup "${store.name}": it has ${files.length} files`);
  }
  return new Map(files.map(({ name, sizeBytes }) => [name, sizeBytes]));
}

async function readSwap(folder: FolderFiles, fileName: string): Promise<BackupSwap[]> {
  const name = /^swappt-(.+)\.info$/.exec(fileName)?.[1];
  if (name === undefined) return [];
  const text = await textOf(folder, fileName);
  const valueOf = (key: string): string => new RegExp(`^${key}="(.*)"$`, "m").exec(text)?.[1] ?? "";
  const uuid = valueOf("UUID");
  const isUuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(uuid);
  return [{ name, uuid: isUuid ? uuid : undefined, label: valueOf("LABEL").replace(/\\(.)/g, "$1") }];
}

/** The data of a partition of a disk. */
export function partOf(folder: BackupFolder, disk: BackupDisk, number: number): BackupPart | undefined {
  return folder.parts.find(({ name }) => partitionNumber(disk.name, name) === number);
}
