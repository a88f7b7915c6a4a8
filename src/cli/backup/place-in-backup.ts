import * as fs from "node:fs";
import { openBackup } from "../../backup/index.ts";
import type { ImageOpener, Place } from "../../disk/index.ts";
import type { CommandContext } from "../command.ts";
import { parsePlace } from "../place.ts";

/** A place in a backup, written as one in an image is: `BACKUP:2/path`. */
export function parseBackupPlace(text: string): Place {
  return parsePlace(text, { isImage: isFolder, hasDrives: process.platform === "win32" });
}

function isFolder(path: string): boolean {
  return fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** Opens backups where images are opened otherwise. */
export function backupOpener({ env }: Pick<CommandContext, "env">): ImageOpener {
  return (path) => openBackup(path, { env });
}

export const backupPlaceHelp = "BACKUP, BACKUP:/path, or BACKUP:2/path for partition 2";
