import { resolvePath, type FileSystem } from "../filesystem/index.ts";
import type { Timestamp } from "../tree/index.ts";
import { isoOfChanges } from "./changes.ts";
import { isStartableName } from "./iso-name.ts";
import { filesBelow, readRecords, type IsoRecord } from "./menu-files.ts";

/** A file on isos that the menu shows. */
export interface ShownFile {
  /** From the root of isos, beginning with `/`. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly modified: Timestamp;
  /** Absent: it was merely copied. */
  readonly record?: IsoRecord;
  /** What keeps its changes. */
  readonly changes?: FileWithSize;
}

interface FileWithSize {
  readonly path: string;
  readonly sizeBytes: number;
}

/** What the menu of a key shows: what was added, in its order, then what was merely copied. */
export async function shownFiles(boot: FileSystem, isos: FileSystem): Promise<readonly ShownFile[]> {
  const there = new Set(await filesBelow(isos, "/"));
  const records = (await readRecords(boot)).filter(({ path }) => there.has(path));
  const known = new Set(records.flatMap(({ path, companions = [] }) => [path, ...companions]));
  const copied = [...there]
    .filter((path) => isStartableName(path) && !known.has(path) && isoOfChanges(path) === undefined)
    .toSorted();
  const changes = new Map(
    [...there].flatMap((path) => {
      const iso = isoOfChanges(path);
      return iso === undefined ? [] : [[iso, path]];
    }),
  );
  const files: ShownFile[] = [];
  for (const record of records) {
    const kept = changes.get(record.path);
    const found = kept === undefined ? {} : { changes: await statOf(isos, kept) };
    files.push({ ...(await statOf(isos, record.path)), record, ...found });
  }
  for (const path of copied) files.push(await statOf(isos, path));
  return files;
}

/** What keeps the changes of ISO files that are no longer on the key. */
export async function orphanedChanges(isos: FileSystem): Promise<readonly FileWithSize[]> {
  const there = new Set(await filesBelow(isos, "/"));
  const files: FileWithSize[] = [];
  for (const path of there) {
    const iso = isoOfChanges(path);
    if (iso !== undefined && !there.has(iso)) files.push(await statOf(isos, path));
  }
  return files;
}

async function statOf(isos: FileSystem, path: string): Promise<ShownFile> {
  const { sizeBytes, modified } = await isos.stat(await resolvePath(isos, path));
  return { path, sizeBytes, modified };
}
