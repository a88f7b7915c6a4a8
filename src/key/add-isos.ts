import { Failure, stopIfAborted, type JobOptions } from "../base/index.ts";
import { formatSize, printableName } from "../bytes/index.ts";
import { FileReader, type BlockDevice } from "../device/index.ts";
import { editFileSystem, probe, type EditableFileSystem, type FileSystemInfo } from "../filesystem/index.ts";
import { openFile, type Content, type DataPiece, type FileEntry, type Timestamp } from "../tree/index.ts";
import * as path from "node:path";
import { largeFileOf, planRemaking, remakeIsos, remakingNote } from "./large-files.ts";
import { isSafePath, pathOfName, safeIsoName } from "./iso-name.ts";
import { entriesText, filesBelow, placeFor, readRecords, updateMenu } from "./menu-files.ts";
import type { KeySettings } from "./key-settings.ts";
import { openKeyForChanges, type OpenKey } from "./open-key.ts";
import { secureBootVerdict } from "./secure-boot.ts";
import { recogniseIso, type HostFileSystem, type RecognisedIso } from "./recognise/index.ts";
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
  /** ISO files of this machine. */
  readonly isos: readonly string[];
  /** What the only one is to be called on the key, in a folder or not. Absent: as here, made safe. */
  readonly name?: string;
  /** Say what would be done, and change nothing. */
  readonly isRehearsal: boolean;
  /** Absent: what is wrong is refused, what nobody has signed is not. */
  readonly verify?: VerifyWish;
  readonly nowMs: number;
}

export interface AddedIso {
  readonly source: string;
  /** On isos, from its root. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly iso: RecognisedIso;
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
 * Copies ISO files to a key and enters them into its menu. All are looked at before the first is copied: one that
 * cannot be added leaves the key as it was. Then each is there whole, with its entries, or not at all.
 */
export async function addIsos(request: AddIsosRequest, options: AddOptions = {}): Promise<readonly AddedIso[]> {
  const large = await largeFileOf(request.isos);
  const remaking = large === undefined ? undefined : await planRemaking(request.key, large);
  if (remaking === undefined) return addTo(request, options);
  // isos is made anew only for files that can be added then.
  const planned = await addTo({ ...request, isRehearsal: true, isosAs: { kind: "ext4" } }, options);
  if (!request.isRehearsal) {
    const neededBytes = planned.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
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
  const { isos: sources, name, isRehearsal, nowMs, isosAs = {}, open = () => openKeyForChanges(request.key) } = request;
  if (name !== undefined && sources.length > 1) {
    throw new Failure("usage", "cannot give one name to several ISO files", { hint: "add them one after the other" });
  }
  await using key = await open();
  const now = { seconds: Math.floor(nowMs / 1000), nanoseconds: 0 };
  await using boot = await editFileSystem(key.boot, { now });
  await using isos = await editFileSystem(key.isos, { now });
  const there = new Set(await filesBelow(isos, "/"));
  const plans: PlannedIso[] = [];
  const info = { ...isos.info, ...isosAs };
  const verifier = new Verifier(request.verify, nowMs);
  for (const source of sources) {
    plans.push(await plan({ source, name, info, settings: key.settings, verifier }, options));
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
    const sum = { sha256: found.sha256, verified: found.verified };
    there.add(one.path);
    const title = titles.has(one.iso.title) ? `${one.iso.title} (${one.path.slice(1)})` : one.iso.title;
    titles.add(title);
    const text = entriesText(one.path, one.sizeBytes, { ...one.iso, title }, { ...key.settings, sum });
    const added = new Map([[one.path, text]]);
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
  /** Of isos. */
  readonly info: FileSystemInfo;
  readonly settings: KeySettings;
  readonly verifier: Verifier;
}

async function plan(
  { source, name, info, settings, verifier }: PlanRequest,
  { signal }: JobOptions,
): Promise<PlannedIso> {
  await using reader = await FileReader.open(source);
  const { sizeBytes } = reader;
  const iso = await recognise(reader, source, signal === undefined ? {} : { signal });
  const isoPath = name === undefined ? usualPath(source, iso) : pathOfName(name);
  const verification = await verifier.plan(source, reader);
  const own = [...warningsOf(isoPath, iso, info), ...secureBootWarnings(isoPath, iso, settings)];
  return { source, path: isoPath, sizeBytes, iso, warnings: [...iso.warnings, ...own], verification };
}

async function recognise(reader: FileReader, source: string, job: JobOptions): Promise<RecognisedIso> {
  const iso = await naming(source, async () => {
    const family = await probe(reader);
    const otherwise = path.basename(source).replace(/\.iso$/i, "");
    if (family === "iso" || family === "udf") return recogniseIso(reader, { ...job, otherwise });
    throw new Failure("unsupported", "there is no ISO 9660 or UDF in it", { hint: "is it an ISO file?" });
  });
  if (iso.refusal === undefined && iso.entries.length > 0) return iso;
  const { reason, hint } = iso.refusal ?? { reason: "nothing in it can be started", hint: "is it the right file?" };
  throw new Failure("unsupported", `cannot add "${source}": ${reason}`, { hint });
}

/** Where an ISO goes that the user gives no name. Few systems look in one folder only. */
function usualPath(source: string, { entries }: RecognisedIso): string {
  const folder = entries.find(({ onlyInFolder }) => onlyInFolder !== undefined)?.onlyInFolder ?? "";
  return `${folder.replace(/\/+$/, "")}/${safeIsoName(path.basename(source))}`;
}

/** What is wrong inside a file is told with its name. */
async function naming<T>(source: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Failure) || error.code === "interrupted") throw error;
    const { code, message, hint, cause } = error;
    throw new Failure(code, `cannot add "${source}": ${message.replace(/^cannot /, "this program cannot ")}`, {
      cause: cause ?? error,
      ...(hint === undefined ? {} : { hint }),
    });
  }
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

/** On a key for Secure Boot, what of an ISO does not start where that is on. */
function secureBootWarnings(
  isoPath: string,
  { entries }: RecognisedIso,
  { secureBootSigners: trusted }: KeySettings,
): readonly string[] {
  if (trusted === undefined) return [];
  const name = printableName(isoPath.slice(1));
  const verdicts = entries.map((entry) => secureBootVerdict({ ...entry, kind: entry.how.kind }, trusted));
  const byUefi = verdicts.filter((verdict) => verdict !== undefined).length;
  const refused = verdicts.filter((verdict) => verdict === "refused").length;
  const others = entries.flatMap(({ signers = [] }, n) => (verdicts[n] === "needs-key" ? signers : []));
  const isWhole = refused === byUefi;
  const some = isWhole ? `${name} is` : `${refused} of the ${byUefi} entries of ${name} are`;
  return [
    ...(refused === 0 ? [] : [`${some} not signed, and will not start where Secure Boot is on`]),
    ...[...new Set(others)].map((signer) => {
      return `${name} is signed by "${printableName(signer)}", and starts where Secure Boot is on once that key is enrolled`;
    }),
  ];
}

/** Names that the key has already, or that two of them would have. */
function refuseTaken(plans: readonly AddedIso[], there: ReadonlySet<string>, { info }: EditableFileSystem): void {
  const folded = (name: string): string => (info.foldsCase === true ? name.toUpperCase() : name);
  const taken = new Set(Array.from(there, folded));
  for (const { source, path: isoPath } of plans) {
    if (taken.has(folded(isoPath))) {
      throw new Failure("exists", `cannot add "${source}": the key has "${printableName(isoPath.slice(1))}" already`, {
        hint: "remove that first, or give another --name",
      });
    }
    taken.add(folded(isoPath));
  }
}

function refuseFull(plans: readonly AddedIso[], { blockSizeBytes, freeBytes }: FileSystemInfo): void {
  const needed = plans.reduce((sum, { sizeBytes }) => sum + Math.ceil(sizeBytes / blockSizeBytes) * blockSizeBytes, 0);
  if (needed <= freeBytes) return;
  const what = plans.length === 1 ? `"${plans[0]?.source ?? ""}"` : `${plans.length} ISO files`;
  const missing = needed - freeBytes;
  throw new Failure(
    "no-space",
    `cannot add ${what}: ${formatSize(needed)} are needed, the key has ${formatSize(freeBytes)} free, ${formatSize(missing)} (${missing} bytes) are missing`,
    { hint: "remove others from it, or make a larger key with --size" },
  );
}

/** What is done with an ISO while it is read. */
interface CopyJob extends JobOptions {
  readonly hasher: FileHasher;
  readonly verb?: string;
}

async function copy(one: AddedIso, isos: EditableFileSystem, now: Timestamp, job: CopyJob): Promise<void> {
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

function contentOf({ content }: FileEntry, one: AddedIso, job: CopyJob): { readonly content?: Content } {
  return content === undefined ? {} : { content: watched(content, one, job) };
}

async function* watched(content: Content, { source, sizeBytes }: AddedIso, job: CopyJob): AsyncGenerator<DataPiece> {
  const phase = `${job.verb ?? "copying"} ${printableName(path.basename(source))}`;
  for await (const piece of content) {
    stopIfAborted(job.signal);
    await job.hasher.update(piece);
    yield piece;
    job.onProgress?.({ phase, doneBytes: piece.at + piece.bytes.length, totalBytes: sizeBytes });
  }
}
