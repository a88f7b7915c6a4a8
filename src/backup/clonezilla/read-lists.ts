import { readSmallFile, type BackupFolder } from "./read-folder.ts";

/** What a list of the backup says of a partition. */
export interface Identity {
  /** As blkid calls it: `vfat`. */
  readonly type?: string;
  readonly label?: string;
  readonly uuid?: string;
}

/** What `blkid.list` says, by name (`sda1`); empty where there is none. */
export function readIdentities({ path, files }: BackupFolder): ReadonlyMap<string, Identity> {
  const identities = new Map<string, Identity>();
  const text = readSmallFile(path, files, "blkid.list")?.toString() ?? "";
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
export function readSavedTime({ path, files }: BackupFolder): string | undefined {
  for (const name of ["clonezilla-img", "Info-saved-by-cmd.txt"]) {
    const sizeBytes = files.get(name) ?? 0;
    const text = readSmallFile(path, files, name, Math.max(sizeBytes, 1))?.toString() ?? "";
    const [, year, month, day, hour, minute] = /(\d{4})-(\d\d)(\d\d)-(\d\d)(\d\d)\b/.exec(lastTimeLine(text)) ?? [];
    if (year !== undefined) return `${year}-${month}-${day} ${hour}:${minute}`;
  }
  return undefined;
}

function lastTimeLine(text: string): string {
  return /^### Image created time: .*$/m.exec(text)?.[0] ?? text.slice(0, 4096);
}
