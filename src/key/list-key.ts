import { Failure } from "../base/index.ts";
import type { BlockReader } from "../device/index.ts";
import { openFileSystem, resolvePath } from "../filesystem/index.ts";
import { useText } from "./device-in-use.ts";
import { isIsoName } from "./iso-name.ts";
import { filesBelow, readRecords, type RecordedEntry } from "./menu-files.ts";
import { openKey, type OpenKey } from "./open-key.ts";

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
  /** What a user should know, a sentence each. */
  readonly notes: readonly string[];
}

export interface KeyFile {
  /** On isos, without the `/` in front. */
  readonly name: string;
  readonly sizeBytes: number;
  /** Absent: it was copied without this program, and the menu looks into it when it is chosen. */
  readonly title?: string;
  readonly entries?: readonly RecordedEntry[];
  /** It is not the file that was added under this name. */
  readonly isReplaced?: true;
}

/** Says which ISO files are on a key, and how they start. */
export async function listKey(path: string): Promise<KeyReport> {
  await using key = await openKey(path);
  const [use] = key.uses;
  if (use === undefined) return { ...(await reportOf(path, key)), notes: [] };
  const note = `${useText(use)}: what was changed there a moment ago may not be seen here`;
  try {
    return { ...(await reportOf(path, key)), notes: [note] };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw new Failure(error.code, error.message, { hint: `${note}; unmount it and try again`, cause: error });
  }
}

async function reportOf(path: string, key: OpenKey<BlockReader>): Promise<Omit<KeyReport, "notes">> {
  await using boot = await openFileSystem(key.boot);
  await using isos = await openFileSystem(key.isos);
  const sizes = new Map<string, number>();
  for (const file of await filesBelow(isos, "/")) {
    if (isIsoName(file)) sizes.set(file, (await isos.stat(await resolvePath(isos, file))).sizeBytes);
  }
  const files: KeyFile[] = [];
  for (const { path: isoPath, title, entries, sizeBytes: addedBytes } of await readRecords(boot)) {
    const sizeBytes = sizes.get(isoPath);
    if (sizeBytes === undefined) continue;
    const replaced = sizeBytes === addedBytes ? {} : { isReplaced: true as const };
    files.push({ name: isoPath.slice(1), sizeBytes, title, entries, ...replaced });
    sizes.delete(isoPath);
  }
  for (const isoPath of [...sizes.keys()].toSorted()) {
    files.push({ name: isoPath.slice(1), sizeBytes: sizes.get(isoPath) ?? 0 });
  }
  const { kind, label, uuid, freeBytes, sizeBytes } = isos.info;
  return { key: path, sizeBytes: key.sizeBytes, isos: { kind, label, uuid, sizeBytes, freeBytes }, files };
}
