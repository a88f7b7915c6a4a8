import { Failure } from "../base/index.ts";
import type { MetadataChange } from "./editable-file-system.ts";
import type { FileStat } from "./file-system.ts";

/** What FAT and exFAT know of a file besides its times, and what of a mode that stands for. */
export const attribute = {
  readOnly: 0x01,
  hidden: 0x02,
  system: 0x04,
  volumeLabel: 0x08,
  directory: 0x10,
  archive: 0x20,
} as const;

/** Files have no owner and no mode, so everyone may read them, and root, to whom all belongs, write. */
const directoryMode = 0o755;
const fileMode = 0o644;
const readOnlyMode = 0o444;
const ownerWrites = 0o200;
/** The first time that there is. */
export const earliest = { seconds: Date.UTC(1980, 0, 1) / 1000, nanoseconds: 0 };

/** The permission bits that stand for attributes. */
export function modeOf(attributes: number): number {
  if ((attributes & attribute.directory) !== 0) return directoryMode;
  return (attributes & attribute.readOnly) === 0 ? fileMode : readOnlyMode;
}

/** The root directory, of which nothing is known but what is in it. */
export function rootStat(id: number, sizeBytes: number): FileStat {
  const where = { id, kind: "directory", sizeBytes, allocatedBytes: sizeBytes, links: 1 } as const;
  return { ...where, mode: directoryMode, uid: 0, gid: 0, modified: earliest };
}

/** The attributes of a new file of this mode. */
export function newAttributes(mode: number): number {
  return withReadOnly(attribute.archive, mode);
}

export function withReadOnly(attributes: number, mode: number): number {
  return (mode & ownerWrites) === 0 ? attributes | attribute.readOnly : attributes & ~attribute.readOnly;
}

/** What of a change can be kept. */
export function keepableTimes({ modified, accessed, created }: MetadataChange): MetadataChange {
  return {
    ...(modified === undefined ? {} : { modified }),
    ...(accessed === undefined ? {} : { accessed }),
    ...(created === undefined ? {} : { created }),
  };
}

/** Throws `unsupported` for what cannot be kept; `kind` is FAT or exFAT, for the message. */
export function refuseUnkeepable(kind: string, stat: FileStat, change: MetadataChange): void {
  const { uid, gid, mode, xattrs } = change;
  const cannot = (what: string, hint?: string): Failure => {
    const message = `cannot change ${what}: ${kind} cannot hold it`;
    return new Failure("unsupported", message, hint === undefined ? {} : { hint });
  };
  if ((uid ?? 0) !== 0 || (gid ?? 0) !== 0) throw cannot("the owner");
  if (xattrs !== undefined && xattrs.size > 0) throw cannot("extended attributes");
  if (mode === undefined) return;
  const kept = stat.kind === "file" ? modeOf(withReadOnly(0, mode)) : stat.mode;
  if (mode !== kept) throw cannot("the mode", "a file is either 644 or 444, a directory 755");
}
