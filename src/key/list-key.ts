import { Failure } from "../base/index.ts";
import { inUseNote, type BlockReader } from "../device/index.ts";
import { openFileSystem } from "../filesystem/index.ts";
import type { EntryTest } from "./entry-test.ts";
import { orphanedChanges, shownFiles, type ShownFile } from "./key-files.ts";
import type { IsoRecord, RecordedEntry } from "./menu-files.ts";
import { openKey, type OpenKey } from "./open-key.ts";
import { commonVerdict, type SecureBootVerdict } from "./secure-boot.ts";
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
  /** Whose signatures it accepts where Secure Boot is on. Absent: it does not start there. */
  readonly secureBootSigners?: readonly string[];
  /** Those that were added, in the order of the menu, then those that were merely copied. */
  readonly files: readonly KeyFile[];
  /** What keeps changes of ISO files that are gone; `key remove` takes it away. */
  readonly orphanedChanges: readonly KeptChanges[];
  /** What a user should know, a sentence each. */
  readonly notes: readonly string[];
}

export interface KeptChanges {
  /** On isos, without the `/` in front. */
  readonly name: string;
  readonly sizeBytes: number;
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
  /** What keeps its changes. */
  readonly changes?: KeptChanges;
  /** What came of starting its entries in a virtual machine, while it was this file. */
  readonly tests?: readonly EntryTest[];
  /** Of all of it, when it was added. */
  readonly sha256?: string;
  /** Who said then that it was what it should be. */
  readonly verified?: IsoVerification;
  /** Whether it starts where Secure Boot is on. Absent: the key does not start there, or the file not by UEFI. */
  readonly secureBoot?: SecureBootVerdict | "partly";
  /** It is not the file that was added under this name. */
  readonly isReplaced?: true;
}

/** Says what is on a key to be started, and how. */
export async function listKey(path: string): Promise<KeyReport> {
  await using key = await openKey(path);
  const note = inUseNote(key.uses);
  if (note === undefined) return { ...(await reportOf(path, key)), notes: [] };
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
  const { secureBootSigners: trusted } = key.settings;
  const files = (await shownFiles(boot, isos)).map((file) => fileReportOf(file, trusted));
  const { kind, label, uuid, freeBytes, sizeBytes } = isos.info;
  return {
    key: path,
    sizeBytes: key.sizeBytes,
    isos: { kind, label, uuid, sizeBytes, freeBytes },
    ...(trusted === undefined ? {} : { secureBootSigners: trusted }),
    files,
    orphanedChanges: (await orphanedChanges(isos)).map(keptReportOf),
  };
}

function keptReportOf({ path, sizeBytes }: Pick<ShownFile, "path" | "sizeBytes">): KeptChanges {
  return { name: path.slice(1), sizeBytes };
}

function fileReportOf(file: ShownFile, trusted: readonly string[] | undefined): KeyFile {
  const { path, sizeBytes, modified, record, changes } = file;
  const name = path.slice(1);
  if (record === undefined) return { name, sizeBytes, ...(trusted === undefined ? {} : { secureBoot: "unknown" }) };
  const { title, entries, kind, sha256, verified } = record;
  const isSame = sizeBytes === record.sizeBytes;
  const secureBoot = trusted === undefined ? undefined : commonVerdict(entries, trusted);
  const tests = record.tests?.filter((one) => one.sizeBytes === sizeBytes && one.modifiedSeconds === modified.seconds);
  return {
    name,
    sizeBytes,
    title,
    entries,
    ...(kind === undefined ? {} : { kind }),
    ...(changes === undefined ? {} : { changes: keptReportOf(changes) }),
    ...(secureBoot === undefined ? {} : { secureBoot }),
    ...(isSame && sha256 !== undefined ? { sha256 } : {}),
    ...(isSame && verified !== undefined ? { verified } : {}),
    ...(tests === undefined || tests.length === 0 ? {} : { tests }),
    ...(isSame ? {} : { isReplaced: true }),
  };
}
