import { openFileSystem, resolvePath } from "../filesystem/index.ts";
import { isIsoName } from "./iso-name.ts";
import { filesBelow, readRecords, type RecordedEntry } from "./menu-files.ts";
import { openKey } from "./open-key.ts";
import type { IsoVerification } from "./verify/index.ts";

/** What is on a key. */
export interface KeyReport {
  readonly key: string;
  readonly sizeBytes: number;
  readonly isos: {
    /** Of the file system. */
    readonly kind: string;
    readonly label: string;
    readonly uuid: string | undefined;
    readonly sizeBytes: number;
    readonly freeBytes: number;
  };
  /** Those that were added, in the order of the menu, then those that were merely copied. */
  readonly files: readonly KeyFile[];
}

export interface KeyFile {
  /** On isos, without the `/` in front. */
  readonly name: string;
  readonly sizeBytes: number;
  /** Absent: it was copied without this program, and the menu looks into it when it is chosen. */
  readonly title?: string;
  readonly entries?: readonly RecordedEntry[];
  /** Of all of it, when it was added. */
  readonly sha256?: string;
  /** Who said then that it was what it should be. */
  readonly verified?: IsoVerification;
  /** It is not the file that was added under this name. */
  readonly isReplaced?: true;
}

/** Says which ISO files are on a key, and how they start. */
export async function listKey(path: string): Promise<KeyReport> {
  await using key = await openKey(path);
  await using boot = await openFileSystem(key.boot);
  await using isos = await openFileSystem(key.isos);
  const sizes = new Map<string, number>();
  for (const file of await filesBelow(isos, "/")) {
    if (isIsoName(file)) sizes.set(file, (await isos.stat(await resolvePath(isos, file))).sizeBytes);
  }
  const files: KeyFile[] = [];
  for (const record of await readRecords(boot)) {
    const { path: isoPath, title, entries, sizeBytes: addedBytes, sha256, verified } = record;
    const sizeBytes = sizes.get(isoPath);
    if (sizeBytes === undefined) continue;
    const replaced = sizeBytes === addedBytes ? {} : { isReplaced: true as const };
    const sum = sha256 === undefined || sizeBytes !== addedBytes ? {} : { sha256 };
    const known = verified === undefined || sizeBytes !== addedBytes ? {} : { verified };
    files.push({ name: isoPath.slice(1), sizeBytes, title, entries, ...sum, ...known, ...replaced });
    sizes.delete(isoPath);
  }
  for (const isoPath of [...sizes.keys()].toSorted()) {
    files.push({ name: isoPath.slice(1), sizeBytes: sizes.get(isoPath) ?? 0 });
  }
  const { kind, label, uuid, freeBytes, sizeBytes } = isos.info;
  return { key: path, sizeBytes: key.sizeBytes, isos: { kind, label, uuid, sizeBytes, freeBytes }, files };
}
