import { Failure, stopIfAborted, type JobOptions } from "../base/index.ts";
import { formatSize, printableName } from "../bytes/index.ts";
import { FileReader } from "../device/index.ts";
import { editFileSystem, type EditableFileSystem, type FileSystemInfo } from "../filesystem/index.ts";
import { openFile, type Content, type DataPiece, type FileEntry, type Timestamp } from "../tree/index.ts";
import * as path from "node:path";
import { isSafePath, pathOfName, safeName } from "./iso-name.ts";
import { initrdPath, type KernelParts } from "./kernel-parts.ts";
import { lookAtFile } from "./look-at-file.ts";
import { entriesText, filesBelow, placeFor, readRecords, updateMenu } from "./menu-files.ts";
import { openKeyForChanges } from "./open-key.ts";
import type { FileKind, HostFileSystem, RecognisedIso } from "./recognise/index.ts";

export interface AddIsosRequest {
  readonly key: string;
  /** ISO files of this machine, and what else a key starts. */
  readonly isos: readonly string[];
  /** What the only one is to be called on the key, in a folder or not. Absent: as here, made safe. */
  readonly name?: string;
  /** What the only one is given when it starts, which is a kernel. */
  readonly kernel?: KernelParts;
  /** Say what would be done, and change nothing. */
  readonly isRehearsal: boolean;
  readonly nowMs: number;
}

/** A file of this machine, and what it is on a key. */
interface CopiedFile {
  readonly source: string;
  /** On isos, from its root. */
  readonly path: string;
  readonly sizeBytes: number;
}

export interface AddedIso extends CopiedFile {
  readonly kind: FileKind;
  readonly iso: RecognisedIso;
  /** What belongs to it: the initrds of a kernel. */
  readonly companions: readonly CopiedFile[];
  readonly warnings: readonly string[];
}

export interface AddOptions extends JobOptions {
  /** Told of each once it is on the key. */
  readonly onAdded?: (added: AddedIso) => Promise<void>;
}

const fatFileLimitBytes = 2 ** 32 - 1;

/**
 * Copies files to a key and enters them into its menu. All are looked at before the first is copied: one that
 * cannot be added leaves the key as it was. Then each is there whole, with its entries, or not at all.
 */
export async function addIsos(request: AddIsosRequest, options: AddOptions = {}): Promise<readonly AddedIso[]> {
  const { isos: sources, name, kernel, isRehearsal, nowMs } = request;
  if ((name !== undefined || kernel !== undefined) && sources.length > 1) {
    const what = name === undefined ? "initrds or words" : "name";
    throw new Failure("usage", `cannot give one ${what} to several files`, { hint: "add them one after the other" });
  }
  await using key = await openKeyForChanges(request.key);
  const now = { seconds: Math.floor(nowMs / 1000), nanoseconds: 0 };
  await using boot = await editFileSystem(key.boot, { now });
  await using isos = await editFileSystem(key.isos, { now });
  const there = new Set(await filesBelow(isos, "/"));
  const plans: AddedIso[] = [];
  for (const source of sources) plans.push(await plan({ source, name, kernel, info: isos.info }, options));
  refuseTaken(plans, there, isos);
  const titles = new Set((await readRecords(boot)).filter((one) => there.has(one.path)).map(({ title }) => title));
  refuseFull(plans, isos);
  if (isRehearsal) return plans;
  for (const one of plans) {
    for (const file of [one, ...one.companions]) await copy(file, isos, now, options);
    there.add(one.path);
    const title = titles.has(one.iso.title) ? `${one.iso.title} (${one.path.slice(1)})` : one.iso.title;
    titles.add(title);
    const added = new Map([[one.path, entriesText(one.path, one.sizeBytes, { ...one.iso, title }, recordOf(one))]]);
    await updateMenu(boot, { isoPaths: there, added, now });
    stopIfAborted(options.signal);
    // Entries whose ISO is not there are not shown: with the second of these it all appears at once.
    await boot.commit();
    await isos.commit();
    await options.onAdded?.(one);
  }
  return plans;
}

interface PlanRequest {
  readonly source: string;
  readonly name: string | undefined;
  readonly kernel: KernelParts | undefined;
  /** Of isos. */
  readonly info: FileSystemInfo;
}

async function plan({ source, name, kernel, info }: PlanRequest, job: JobOptions): Promise<AddedIso> {
  await using reader = await FileReader.open(source);
  const { sizeBytes } = reader;
  refuseLarge({ source, sizeBytes }, info);
  const parts = kernel ?? { initrds: [], words: [] };
  const { kind, iso } = await lookAtFile(source, reader, parts, job.signal === undefined ? {} : { signal: job.signal });
  const isoPath = name === undefined ? usualPath(source, kind, iso) : pathOfName(name, kind);
  const companions: CopiedFile[] = [];
  for (const [n, initrd] of parts.initrds.entries()) {
    await using opened = await FileReader.open(initrd);
    const file = { source: initrd, path: initrdPath(isoPath, n), sizeBytes: opened.sizeBytes };
    refuseLarge(file, info);
    companions.push(file);
  }
  const warnings = [...iso.warnings, ...warningsOf(isoPath, iso, info)];
  return { source, path: isoPath, sizeBytes, kind, iso, companions, warnings };
}

function refuseLarge({ source, sizeBytes }: Pick<CopiedFile, "source" | "sizeBytes">, { kind }: FileSystemInfo): void {
  if (!kind.startsWith("fat") || sizeBytes <= fatFileLimitBytes) return;
  const why = `it has ${formatSize(sizeBytes)}, FAT holds files below 4 GiB`;
  throw new Failure("unsupported", `cannot add "${source}": ${why}`, { hint: "a key made with --fs ext4 holds it" });
}

function recordOf({ kind, companions }: AddedIso): Parameters<typeof entriesText>[3] {
  return {
    ...(kind === "iso" ? {} : { kind }),
    ...(companions.length === 0 ? {} : { companions: companions.map(({ path: one }) => one) }),
  };
}

/** Where a file goes that the user gives no name. Few systems look in one folder only. */
function usualPath(source: string, kind: FileKind, { entries }: RecognisedIso): string {
  const folder = entries.find(({ onlyInFolder }) => onlyInFolder !== undefined)?.onlyInFolder ?? "";
  return `${folder.replace(/\/+$/, "")}/${safeName(path.basename(source), kind)}`;
}

function warningsOf(isoPath: string, { entries }: RecognisedIso, { kind }: FileSystemInfo): readonly string[] {
  const host: HostFileSystem = kind.startsWith("fat") ? "fat" : "ext4";
  const name = printableName(isoPath.slice(1));
  const needing = entries.filter(({ readableFrom }) => readableFrom !== undefined);
  const blind = needing.filter(({ readableFrom }) => {
    return readableFrom !== "unknown" && readableFrom?.includes(host) !== true;
  });
  const folder = entries.find(({ onlyInFolder }) => onlyInFolder !== undefined)?.onlyInFolder;
  const isElsewhere = folder !== undefined && path.posix.dirname(isoPath) !== folder;
  return [
    ...blind.map(({ title }) => `"${title}" of ${name} cannot read ${host}: it will not find its ISO on this key`),
    ...(isElsewhere ? [`the system in ${name} looks for its ISO only in ${folder}`] : []),
    ...(needing.length === 0 || isSafePath(isoPath)
      ? []
      : [`the system in "${name}" may not find an ISO of that name: letters, digits and . _ + - are safe`]),
  ];
}

/** Names that the key has already, or that two of them would have. */
function refuseTaken(plans: readonly AddedIso[], there: ReadonlySet<string>, { info }: EditableFileSystem): void {
  const folded = (name: string): string => (info.foldsCase === true ? name.toUpperCase() : name);
  const taken = new Set(Array.from(there, folded));
  for (const { source, path: isoPath } of plans.flatMap((one) => [one, ...one.companions])) {
    if (taken.has(folded(isoPath))) {
      throw new Failure("exists", `cannot add "${source}": the key has "${printableName(isoPath.slice(1))}" already`, {
        hint: "remove that first, or give another --name",
      });
    }
    taken.add(folded(isoPath));
  }
}

function refuseFull(plans: readonly AddedIso[], { info }: EditableFileSystem): void {
  const { blockSizeBytes, freeBytes } = info;
  const files = plans.flatMap((one) => [one, ...one.companions]);
  const needed = files.reduce((sum, { sizeBytes }) => sum + Math.ceil(sizeBytes / blockSizeBytes) * blockSizeBytes, 0);
  if (needed <= freeBytes) return;
  const what = plans.length === 1 ? `"${plans[0]?.source ?? ""}"` : `${plans.length} files`;
  const missing = needed - freeBytes;
  throw new Failure(
    "no-space",
    `cannot add ${what}: ${formatSize(needed)} are needed, the key has ${formatSize(freeBytes)} free, ${formatSize(missing)} (${missing} bytes) are missing`,
    { hint: "remove others from it, or make a larger key with --size" },
  );
}

async function copy(one: CopiedFile, isos: EditableFileSystem, now: Timestamp, job: JobOptions): Promise<void> {
  await using tree = openFile(one.source);
  for await (const batch of tree.entries()) {
    for (const entry of batch) {
      if (entry.kind !== "file" || entry.sizeBytes !== one.sizeBytes) {
        throw new Failure("failed", `cannot add "${one.source}": it changed while it was read`);
      }
      const place = await placeFor(isos, one.path, now);
      await isos.create(place, { ...fileOf(entry), ...contentOf(entry, one, job) });
    }
  }
}

function fileOf({ sizeBytes, modified, stretches }: FileEntry): Parameters<EditableFileSystem["create"]>[1] {
  const known = stretches === undefined ? {} : { stretches };
  return { kind: "file", mode: 0o644, uid: 0, gid: 0, modified, sizeBytes, ...known };
}

function contentOf({ content }: FileEntry, one: CopiedFile, job: JobOptions): { readonly content?: Content } {
  return content === undefined ? {} : { content: watched(content, one, job) };
}

async function* watched(
  content: Content,
  { source, sizeBytes }: CopiedFile,
  job: JobOptions,
): AsyncGenerator<DataPiece> {
  const phase = `copying ${printableName(path.basename(source))}`;
  for await (const piece of content) {
    stopIfAborted(job.signal);
    yield piece;
    job.onProgress?.({ phase, doneBytes: piece.at + piece.bytes.length, totalBytes: sizeBytes });
  }
}
