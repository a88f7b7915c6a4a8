import { readSmallFile, type FolderFiles } from "./small-files.ts";

/** What a list of the backup says of a partition. */
export interface Identity {
  /** As blkid calls it: `vfat`. */
  readonly type?: string;
  readonly label?: string;
  readonly uuid?: string;
}

/** Clonezilla keeps all that was printed while saving. */
const logLimitBytes = 64 * 1024 * 1024;

/** What `blkid.list` says, by name (`sda1`); empty where there is none. */
export async function readIdentities(folder: FolderFiles): Promise<ReadonlyMap<string, Identity>> {
  const identities = new Map<string, Identity>();
  const text = (await readSmallFile(folder, "blkid.list"))?.toString() ?? "";
  for (const line of text.split("\n")) {
    const [, name, words = ""] = /^\/dev\/([^:]+): (.*)$/.exec(line) ?? [];
    if (name === undefined) continue;
    const told = new Map<string, string>();
    for (const [, key = "", value = ""] of words.matchAll(/([A-Z_]+)="((?:[^"\\]|\\.)*)"/g)) {
      told.set(key, value.replace(/\\(.)/g, "$1"));
    }
    const [type, label, uuid] = [told.get("TYPE"), told.get("LABEL"), told.get("UUID")];
    identities.set(name, {
      ...(type === undefined ? {} : { type }),
      ...(label === undefined ? {} : { label }),
      ...(uuid === undefined ? {} : { uuid }),
    });
  }
  return identities;
}

/** When the backup was made, in the local time of where it was: `2026-11-30 12:05`. */
export async function readSavedTime(folder: FolderFiles): Promise<string | undefined> {
  const log = (await readSmallFile(folder, "clonezilla-img", logLimitBytes))?.toString() ?? "";
  const [, year, month, day, time] = /^### Image created time: (\d{4})-(\d\d)(\d\d)-(\d{4})/m.exec(log) ?? [];
  if (year === undefined || time === undefined) return undefined;
  return `${year}-${month}-${day} ${time.slice(0, 2)}:${time.slice(2)}`;
}

/** What was saved, as this program's own note names it: the path of a disk or of an image. */
export async function readSource(folder: FolderFiles): Promise<string | undefined> {
  const log = (await readSmallFile(folder, "clonezilla-img", logLimitBytes))?.toString() ?? "";
  return /^This image was saved by Holdfast[^]*?^-+$\n(.+): \S+, \d+ bytes$/m.exec(log)?.[1];
}
