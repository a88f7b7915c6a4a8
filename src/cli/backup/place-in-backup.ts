import * as fs from "node:fs";
import { openBackup, type StoreAccess } from "../../backup/index.ts";
import type { ImageOpener, Place } from "../../disk/index.ts";
import { parsePlace } from "../place.ts";

/** A place in a backup, written as one in an image is: `BACKUP:2/path`. */
export function parseBackupPlace(text: string): Place {
  const [elsewhere] = /^(sftp|smb|s3):\/\/[^/]*/i.exec(text) ?? [];
  if (elsewhere !== undefined) {
    // What is there is not looked at: the first colon in its path divides.
    const place = parsePlace(text.slice(elsewhere.length), { isImage: () => false, hasDrives: false });
    return { ...place, image: elsewhere + place.image };
  }
  return parsePlace(text, { isImage: isFolder, hasDrives: process.platform === "win32" });
}

function isFolder(path: string): boolean {
  return fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** Opens backups where images are opened otherwise. */
export function backupOpener(access: StoreAccess): ImageOpener {
  return (path) => openBackup(path, access);
}

export const backupPlaceHelp = "BACKUP, BACKUP:/path, or BACKUP:2/path for partition 2";
