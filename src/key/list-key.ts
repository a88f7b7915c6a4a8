import { openFileSystem } from "../filesystem/index.ts";
import type { EntryTest } from "./entry-test.ts";
import { shownFiles, type ShownFile } from "./key-files.ts";
import type { IsoRecord, RecordedEntry } from "./menu-files.ts";
import { openKey } from "./open-key.ts";

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
  /** What it is, where it was added and is no ISO. */
  readonly kind?: NonNullable<IsoRecord["kind"]>;
  /** What came of starting its entries in a virtual machine, while it was this file. */
  readonly tests?: readonly EntryTest[];
  /** It is not the file that was added under this name. */
  readonly isReplaced?: true;
}

/** Says what is on a key to be started, and how. */
export async function listKey(path: string): Promise<KeyReport> {
  await using key = await openKey(path);
  await using boot = await openFileSystem(key.boot);
  await using isos = await openFileSystem(key.isos);
  const files = (await shownFiles(boot, isos)).map(reportOf);
  const { kind, label, uuid, freeBytes, sizeBytes } = isos.info;
  return { key: path, sizeBytes: key.sizeBytes, isos: { kind, label, uuid, sizeBytes, freeBytes }, files };
}

function reportOf({ path, sizeBytes, modified, record }: ShownFile): KeyFile {
  const name = path.slice(1);
  if (record === undefined) return { name, sizeBytes };
  const { title, entries, kind } = record;
  const tests = record.tests?.filter((one) => one.sizeBytes === sizeBytes && one.modifiedSeconds === modified.seconds);
  return {
    name,
    sizeBytes,
    title,
    entries,
    ...(kind === undefined ? {} : { kind }),
    ...(tests === undefined || tests.length === 0 ? {} : { tests }),
    ...(sizeBytes === record.sizeBytes ? {} : { isReplaced: true as const }),
  };
}
