import { resolvePath, type FileSystem } from "../filesystem/index.ts";
import type { Timestamp } from "../tree/index.ts";
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
}

/** What the menu of a key shows: what was added, in its order, then what was merely copied. */
export async function shownFiles(boot: FileSystem, isos: FileSystem): Promise<readonly ShownFile[]> {
  const there = new Set(await filesBelow(isos, "/"));
  const records = (await readRecords(boot)).filter(({ path }) => there.has(path));
  const known = new Set(records.flatMap(({ path, companions = [] }) => [path, ...companions]));
  const copied = [...there].filter((path) => isStartableName(path) && !known.has(path)).toSorted();
  const files: ShownFile[] = [];
  for (const record of records) files.push({ ...(await statOf(isos, record.path)), record });
  for (const path of copied) files.push(await statOf(isos, path));
  return files;
}

async function statOf(isos: FileSystem, path: string): Promise<ShownFile> {
  const { sizeBytes, modified } = await isos.stat(await resolvePath(isos, path));
  return { path, sizeBytes, modified };
}
