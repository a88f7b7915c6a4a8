import { Failure, stopIfAborted, type JobOptions } from "../base/index.ts";
import { formatSize, printableName } from "../bytes/index.ts";
import { FileReader, type BlockDevice } from "../device/index.ts";
import { editFileSystem, type EditableFileSystem, type FileSystemInfo } from "../filesystem/index.ts";
import { openFile, type Content, type DataPiece, type FileEntry, type Timestamp } from "../tree/index.ts";
import * as path from "node:path";
import { keepingChanges, makeChangesFile, type ChangesFile } from "./changes.ts";
import { largeFileOf, planRemaking, remakeIsos, remakingNote } from "./large-files.ts";
import { isSafePath, pathOfName, safeName } from "./iso-name.ts";
import { initrdPath, type KernelParts } from "./kernel-parts.ts";
import { lookAtFile } from "./look-at-file.ts";
import { entriesText, filesBelow, placeFor, readRecords, updateMenu } from "./menu-files.ts";
import type { KeySettings } from "./key-settings.ts";
import { openKeyForChanges, type OpenKey } from "./open-key.ts";
import { certificatesNeeded, putCertificates } from "./certificates.ts";
import { secureBootVerdict } from "./secure-boot.ts";
import type { FileKind, HostFileSystem, RecognisedIso } from "./recognise/index.ts";
import {
  Verifier,
  type FileHasher,
  type IsoVerification,
  type VerificationPlan,
  type VerifiedIso,
  type VerifyWish,
} from "./verify/index.ts";

export interface AddIsosRequest {
  readonly key: string;
  /** ISO files of this machine, and what else a key starts. */
  readonly isos: readonly string[];
  /** What the only one is to be called on the key, in a folder or not. Absent: as here, made safe. */
  readonly name?: string;
  /** What the only one is given when it starts, which is a kernel. */
  readonly kernel?: KernelParts;
  /** How much there is to be for what each changes of itself. Absent: nothing is kept. */
  readonly changesBytes?: number;
  /** Say what would be done, and change nothing. */
  readonly isRehearsal: boolean;
  /** Absent: what is wrong is refused, what nobody has signed is not. */
  readonly verify?: VerifyWish;
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
  /** The file that keeps changes. */
  readonly changes?: ChangesFile;
  readonly warnings: readonly string[];
  /** Absent in a rehearsal, where nobody says what it should be. */
  readonly sha256?: string;
  /** Who said that it is what it should be. */
  readonly verified?: IsoVerification;
}

/** An ISO before all of it was read. */
interface PlannedIso extends AddedIso {
  readonly verification: VerificationPlan;
}

export interface AddOptions extends JobOptions {
  /** Told of each once it is on the key. */
  readonly onAdded?: (added: AddedIso) => Promise<void>;
}

/**
 * Copies files to a key and enters them into its menu. All are looked at before the first is copied: one that
 * cannot be added leaves the key as it was. Then each is there whole, with its entries, or not at all.
 */
export async function addIsos(request: AddIsosRequest, options: AddOptions = {}): Promise<readonly AddedIso[]> {
  const large = await largeFileOf(request.isos);
  const remaking = large === undefined ? undefined : await planRemaking(request.key, large);
  if (remaking === undefined) return addTo(request, options);
  // isos is made anew only for files that can be added then.
  const planned = await addTo({ ...request, isRehearsal: true, isosAs: { kind: "ext4" } }, options);
  if (!request.isRehearsal) {
    const neededBytes = planned.flatMap(filesOf).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    await remakeIsos(request.key, { ...remaking, neededBytes, nowMs: request.nowMs }, options);
  }
  const added = request.isRehearsal ? planned : await addTo(request, options);
  return added.map((one) => {
    return one.source === large?.source ? { ...one, warnings: [remakingNote(remaking), ...one.warnings] } : one;
  });
}

export interface AddToRequest extends AddIsosRequest {
  /** In a rehearsal: as if this were so of isos. */
  readonly isosAs?: Partial<Pick<FileSystemInfo, "kind" | "freeBytes">>;
  /** How the key is opened where it has no place under its name yet. */
  readonly open?: () => Promise<OpenKey<BlockDevice>>;
}

/** The same, where isos may stay what it is. */
export async function addTo(request: AddToRequest, options: AddOptions): Promise<readonly AddedIso[]> {
  const { isos: sources, name, kernel, changesBytes, isRehearsal, nowMs, isosAs = {} } = request;
  const { open = () => openKeyForChanges(request.key) } = request;
  refuseForSeveral(request);
  await using key = await open();
  const now = { seconds: Math.floor(nowMs / 1000), nanoseconds: 0 };
  await using boot = await editFileSystem(key.boot, { now });
  await using isos = await editFileSystem(key.isos, { now });
  const there = new Set(await filesBelow(isos, "/"));
  const plans: PlannedIso[] = [];
  const info = { ...isos.info, ...isosAs };
  const verifier = new Verifier(request.verify, nowMs);
  const { secureBootSigners: trusted } = key.settings;
  for (const source of sources) {
    const wish = { source, name, kernel, changesBytes, there, info, settings: key.settings, verifier };
    plans.push(await plan(wish, options));
  }
  refuseTaken(plans, there, isos);
  const titles = new Set((await readRecords(boot)).filter((one) => there.has(one.path)).map(({ title }) => title));
  refuseFull(plans, info);
  const done: AddedIso[] = [];
  for (const one of plans) {
    if (isRehearsal) {
      done.push(await rehearse(one, verifier, options));
      continue;
    }
    const found = await verifier.check(one.source, one.verification, (hasher) => {
      return copy(one, isos, now, { ...options, hasher });
    });
    for (const file of one.companions) await copy(file, isos, now, options);
    await makeChanges(one, isos, now, options);
    const sum = { sha256: found.sha256, verified: found.verified };
    there.add(one.path);
    const title = titles.has(one.iso.title) ? `${one.iso.title} (${one.path.slice(1)})` : one.iso.title;
    titles.add(title);
    const text = entriesText(
      one.path,
      one.sizeBytes,
      { ...one.iso, title },
      { ...key.settings, sum, parts: partsOf(one) },
    );
    const added = new Map([[one.path, text]]);
    if (trusted !== undefined) await putCertificates(boot, certificatesNeeded(one.iso, trusted), now);
    await updateMenu(boot, { isoPaths: there, added, now });
    stopIfAborted(options.signal);
    // Entries whose ISO is not there are not shown: with the second of these it all appears at once.
    await boot.commit();
    await isos.commit();
    const whole = withFindings(one, found);
    done.push(whole);
    await options.onAdded?.(whole);
  }
  return done;
}

function refuseForSeveral({ isos: sources, name, kernel }: AddIsosRequest): void {
  const what = name === undefined ? "initrds or words" : "name";
  if (sources.length === 1 || (name === undefined && kernel === undefined)) return;
  throw new Failure("usage", `cannot give one ${what} to several files`, { hint: "add them one after the other" });
}

/** All that comes onto the key with a file. */
function filesOf({ source, changes, ...one }: AddedIso): readonly CopiedFile[] {
  const isNew = changes !== undefined && !changes.isThere;
  return [{ source, ...one }, ...one.companions, ...(isNew ? [{ ...changes, source }] : [])];
}

async function makeChanges(
  { changes }: AddedIso,
  isos: EditableFileSystem,
  now: Timestamp,
  job: JobOptions,
): Promise<void> {
  if (changes === undefined || changes.isThere) return;
  await using made = await makeChangesFile(changes, now, job);
  await copy({ ...changes, source: made.path }, isos, now, job);
}

function partsOf({ kind, companions }: AddedIso): { kind?: FileKind; companions?: readonly string[] } {
  return {
    ...(kind === "iso" ? {} : { kind }),
    ...(companions.length === 0 ? {} : { companions: companions.map(({ path: one }) => one) }),
  };
}

function withFindings({ verification: _, ...one }: PlannedIso, found: VerifiedIso): AddedIso {
  const { sha256, verified, warnings } = found;
  return { ...one, sha256, verified, warnings: [...one.warnings, ...warnings] };
}

/** Reads an ISO only where there is something that it has to agree with. */
async function rehearse(one: PlannedIso, verifier: Verifier, job: JobOptions): Promise<AddedIso> {
  const { verification, ...iso } = one;
  if (!verification.hasClaims) return { ...iso, warnings: [...iso.warnings, ...verification.warnings] };
  const found = await verifier.check(one.source, verification, async (hasher) => {
    await using tree = openFile(one.source);
    for await (const batch of tree.entries()) {
      for (const entry of batch) {
        const content = entry.kind === "file" ? (entry.content ?? []) : [];
        const pieces = watched(content, one, { ...job, hasher, verb: "reading" });
        while ((await pieces.next()).done !== true) stopIfAborted(job.signal);
      }
    }
  });
  return withFindings(one, found);
}

interface PlanRequest {
  readonly source: string;
  readonly name: string | undefined;
  readonly kernel: KernelParts | undefined;
  readonly changesBytes: number | undefined;
  /** The files on isos. */
  readonly there: ReadonlySet<string>;
  /** Of isos. */
  readonly info: FileSystemInfo;
  readonly settings: KeySettings;
  readonly verifier: Verifier;
}

async function plan(request: PlanRequest, { signal }: JobOptions): Promise<PlannedIso> {
  const { source, name, kernel = { initrds: [], words: [] }, info, settings, verifier } = request;
  await using reader = await FileReader.open(source);
  const { sizeBytes } = reader;
  const job = signal === undefined ? {} : { signal };
  const shownName = path.basename(name ?? source);
  const { kind, iso } = await lookAtFile(source, reader, kernel, { ...job, shownName });
  const isoPath = name === undefined ? usualPath(source, kind, iso) : pathOfName(name, kind);
  const companions = await companionsOf(isoPath, kernel);
  const verification = await verifier.plan(source, reader);
  const own = [...warningsOf(isoPath, iso, info), ...secureBootWarnings(isoPath, iso, settings)];
  const common = { source, path: isoPath, sizeBytes, kind, companions, verification };
  const { changesBytes, there } = request;
  if (changesBytes === undefined) return { ...common, iso, warnings: [...iso.warnings, ...own] };
  const kept = keepingChanges(iso, { source, isoPath, there, sizeBytes: changesBytes, host: hostOf(info) });
  const again = `the changes that are kept of ${printableName(isoPath.slice(1))} are used again, as large as they are`;
  return { ...common, ...kept, warnings: [...iso.warnings, ...own, ...(kept.changes.isThere ? [again] : [])] };
}

function hostOf({ kind }: FileSystemInfo): HostFileSystem {
  if (kind === "exfat") return "exfat";
  return kind.startsWith("fat") ? "fat" : "ext4";
}

async function companionsOf(kernelPath: string, { initrds }: KernelParts): Promise<readonly CopiedFile[]> {
  const files: CopiedFile[] = [];
  for (const [n, source] of initrds.entries()) {
    await using reader = await FileReader.open(source);
    files.push({ source, path: initrdPath(kernelPath, n), sizeBytes: reader.sizeBytes });
  }
  return files;
}

/** Where a file goes that the user gives no name. Few systems look in one folder only. */
function usualPath(source: string, kind: FileKind, { entries }: RecognisedIso): string {
  const folder = entries.find(({ onlyInFolder }) => onlyInFolder !== undefined)?.onlyInFolder ?? "";
  return `${folder.replace(/\/+$/, "")}/${safeName(path.basename(source), kind)}`;
}

function warningsOf(isoPath: string, { entries }: RecognisedIso, info: FileSystemInfo): readonly string[] {
  const host = hostOf(info);
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

/** On a key for Secure Boot, what of an ISO does not start where that is on. */
function secureBootWarnings(
  isoPath: string,
  iso: RecognisedIso,
  { secureBootSigners: trusted }: KeySettings,
): readonly string[] {
  if (trusted === undefined) return [];
  const name = printableName(isoPath.slice(1));
  const verdicts = iso.entries.map((entry) => secureBootVerdict({ ...entry, kind: entry.how.kind }, trusted));
  const byUefi = verdicts.filter((verdict) => verdict !== undefined).length;
  const refused = verdicts.filter((verdict) => verdict === "refused").length;
  const isWhole = refused === byUefi;
  const some = isWhole ? `${name} is` : `${refused} of the ${byUefi} entries of ${name} are`;
  return [
    ...(refused === 0 ? [] : [`${some} not signed, and will not start where Secure Boot is on`]),
    ...certificatesNeeded(iso, trusted).map(({ issuer, file }) => {
      const where = file === undefined ? "" : `: ${file.path.slice(1)} on the key's first partition`;
      return `${name} is signed by "${printableName(issuer)}", and starts where Secure Boot is on once that is enrolled${where}`;
    }),
  ];
}

/** Names that the key has already, or that two of them would have. */
function refuseTaken(plans: readonly AddedIso[], there: ReadonlySet<string>, { info }: EditableFileSystem): void {
  const folded = (name: string): string => (info.foldsCase === true ? name.toUpperCase() : name);
  const taken = new Set(Array.from(there, folded));
  for (const { source, path: isoPath } of plans.flatMap(filesOf)) {
    if (taken.has(folded(isoPath))) {
      throw new Failure("exists", `cannot add "${source}": the key has "${printableName(isoPath.slice(1))}" already`, {
        hint: "remove that first, or give another --name",
      });
    }
    taken.add(folded(isoPath));
  }
}

function refuseFull(plans: readonly AddedIso[], { blockSizeBytes, freeBytes }: FileSystemInfo): void {
  const needed = plans
    .flatMap(filesOf)
    .reduce((sum, { sizeBytes }) => sum + Math.ceil(sizeBytes / blockSizeBytes) * blockSizeBytes, 0);
  if (needed <= freeBytes) return;
  const what = plans.length === 1 ? `"${plans[0]?.source ?? ""}"` : `${plans.length} files`;
  const missing = needed - freeBytes;
  throw new Failure(
    "no-space",
    `cannot add ${what}: ${formatSize(needed)} are needed, the key has ${formatSize(freeBytes)} free, ${formatSize(missing)} (${missing} bytes) are missing`,
    { hint: "remove others from it, or make a larger key with --size" },
  );
}

/** What is done with an ISO while it is read. */
interface CopyJob extends JobOptions {
  readonly hasher?: FileHasher;
  readonly verb?: string;
}

async function copy(one: CopiedFile, isos: EditableFileSystem, now: Timestamp, job: CopyJob): Promise<void> {
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

function contentOf({ content }: FileEntry, one: CopiedFile, job: CopyJob): { readonly content?: Content } {
  return content === undefined ? {} : { content: watched(content, one, job) };
}

async function* watched(content: Content, { source, sizeBytes }: CopiedFile, job: CopyJob): AsyncGenerator<DataPiece> {
  const phase = `${job.verb ?? "copying"} ${printableName(path.basename(source))}`;
  for await (const piece of content) {
    stopIfAborted(job.signal);
    await job.hasher?.update(piece);
    yield piece;
    job.onProgress?.({ phase, doneBytes: piece.at + piece.bytes.length, totalBytes: sizeBytes });
  }
}
