import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { openBackup, placeInImage, type OpenBackupOptions } from "../../backup/index.ts";
import { formatSize } from "../../bytes/index.ts";
import type { ImageOpener, Place } from "../../disk/index.ts";
import { cacheFolderIn } from "../cache-folder.ts";
import type { CommandContext } from "../command.ts";
import { parsePlace } from "../place.ts";
import { showProgress } from "../print.ts";
import type { ProgressDisplay } from "../progress-bar.ts";
import { storeAccess, storeOptions, type StoreArguments } from "./store-options.ts";

/** A place in a backup, written as one in an image is: `BACKUP:2/path`. */
export function parseBackupPlace(text: string): Place {
  const [elsewhere] = /^(sftp|smb|s3):\/\/[^/]*/i.exec(text) ?? [];
  if (elsewhere !== undefined) {
    // What is there is not looked at: the first colon in its path divides.
    const place = parsePlace(text.slice(elsewhere.length), { isImage: () => false, hasDrives: false });
    return { ...place, image: elsewhere + place.image };
  }
  return parsePlace(text, { isImage: isBackup, hasDrives: process.platform === "win32" });
}

/** A folder of this machine, or one in an image; what is in the backup is divided from that by another colon. */
function isBackup(name: string): boolean {
  const inImage = placeInImage(name);
  if (inImage !== undefined) return !/:\d*(\/|$)/.test(inImage.path ?? "");
  return fs.statSync(name, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** What commands take that look into backups. */
export const lookOptions = {
  ...storeOptions,
  "cache-limit": {
    kind: "size",
    value: "SIZE",
    default: 20 * 2 ** 30,
    help: "how much unpacked data is kept between calls; else 20GiB",
  },
  "no-cache": { kind: "flag", help: "keep no unpacked data: it is in the folder for temporary files until the end" },
} as const;

export interface LookArguments extends StoreArguments {
  readonly cacheLimit: number;
  readonly noCache: boolean;
  /** Which disk, where a backup has several. */
  readonly disk?: string | undefined;
}

/** How backups are looked into, as the words say. Tells when data had to be unpacked for that. */
export function lookAccess(
  context: CommandContext,
  args: LookArguments & { readonly json?: boolean },
  progress: ProgressDisplay,
): OpenBackupOptions {
  const { env, signal, stderr } = context;
  const folder = path.join(cacheFolderIn(env) ?? path.join(os.tmpdir(), "holdfast-cache"), "backups");
  return {
    ...storeAccess(context, args),
    signal,
    onProgress: progress.onProgress,
    cache: { folder: args.noCache ? undefined : folder, limitBytes: args.cacheLimit, nowMs: Date.now() },
    async onUnpacked(name, takenBytes) {
      progress.clear();
      if (takenBytes === undefined || args.json === true) return;
      const where = args.noCache ? "for this once" : `kept in ${folder}; --no-cache keeps nothing`;
      await stderr.write(`${stderr.style("bold", "note:")} ${name} was unpacked, ${formatSize(takenBytes)} ${where}\n`);
    },
  };
}

/** Opens backups where images are opened otherwise. */
export function backupOpener(context: CommandContext, args: LookArguments & { readonly json?: boolean }): ImageOpener {
  const access = lookAccess(context, args, showProgress(context, { json: args.json ?? false }));
  const disk = args.disk === undefined ? {} : { disk: args.disk };
  return (backup) => openBackup(backup, { ...access, ...disk });
}

export const backupPlaceHelp = "BACKUP, BACKUP:/path, or BACKUP:2/path for partition 2";
