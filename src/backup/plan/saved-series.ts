import { Failure } from "../../base/index.ts";
import {
  readBadSectors,
  readFolder,
  readSavedTime,
  readSmallFile,
  readSource,
  type BackupFolder,
} from "../clonezilla/index.ts";
import { markIn } from "../marks.ts";
import { SubStore, unfinishedEnding, type BackupStore } from "../store/index.ts";
import { parseBackupTime, type BackupTime } from "./retention.ts";

/** A backup among others in a target, as far as it takes to say which may go. */
export interface SavedEntry {
  readonly name: string;
  /** What comes behind the date in its name; the whole name where there is no date. */
  readonly label: string;
  /** Backups of one series are of the same disk, and the older ones go. */
  readonly series: string;
  readonly time: BackupTime;
  /** The command that it was made by, as its notes have it. */
  readonly command: string;
  /** Why it is not known to be whole; absent where nothing speaks against it. */
  readonly damage?: string;
}

const commandFile = "Info-saved-by-cmd.txt";

/** `2026-11-30-1205-laptop`; Clonezilla itself proposes names without the minutes. */
const datedName = /^(\d{4}-\d\d-\d\d)-(\d\d)(\d\d)?-(.+)$/;

/** The finished backups in a store; other folders are passed over, and so is what does not tell when it was made. */
export async function savedEntries(store: BackupStore): Promise<readonly SavedEntry[]> {
  const entries: SavedEntry[] = [];
  for (const { name, kind } of await store.list("")) {
    if (kind !== "folder" || name.endsWith(unfinishedEnding)) continue;
    const folder = await folderAt(store, name);
    const entry = folder === undefined ? undefined : await entryOf(name, folder);
    if (entry !== undefined) entries.push(entry);
  }
  return entries;
}

async function folderAt(store: BackupStore, name: string): Promise<BackupFolder | undefined> {
  try {
    return await readFolder(new SubStore(store, name));
  } catch (error) {
    // No backup, or none of which this program knows enough to delete it.
    if (error instanceof Failure && error.code !== "interrupted") return undefined;
    throw error;
  }
}

async function entryOf(name: string, folder: BackupFolder): Promise<SavedEntry | undefined> {
  const [, day, hour, minute = "00", label = name] = datedName.exec(name) ?? [];
  const inName = day === undefined ? undefined : parseBackupTime(`${day} ${hour}:${minute}`);
  const time = inName ?? parseBackupTime((await readSavedTime(folder)) ?? "");
  if (time === undefined) return undefined;
  const damage = markIn(folder.files) ?? folder.problems[0] ?? (await unreadableIn(folder));
  const series = [label, ...identitiesOf(folder), (await readSource(folder)) ?? ""].join("\n");
  const command = (await readSmallFile(folder, commandFile))?.toString().trim() ?? "";
  return { name, label, series, time, command, ...(damage === undefined ? {} : { damage }) };
}

/** Zeros stand for what could not be read: an older backup may be the last that has it. */
async function unreadableIn(folder: BackupFolder): Promise<string | undefined> {
  const [first] = await readBadSectors(folder);
  return first === undefined ? undefined : `${first.sectors} sectors of the disk could not be read`;
}

/** What tells disks apart that have the same name. */
function identitiesOf({ disks, parts }: BackupFolder): readonly string[] {
  if (disks.length === 0) return parts.map(({ name }) => name);
  return disks.map(({ name, dump }) => `${name} ${dump.diskId?.toLowerCase() ?? ""}`);
}
