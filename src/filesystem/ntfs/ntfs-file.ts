import { damaged } from "../damaged.ts";
import { attribute as dosAttributes, earliest, modeOf } from "../dos-attributes.ts";
import type { FileStat } from "../file-system.ts";
import { valueOf } from "./attributes.ts";
import { decodeKey, isOwnName } from "./directory.ts";
import type { NtfsFile, NtfsSource } from "./ntfs-source.ts";
import { decodeTicks } from "./ntfs-time.ts";
import {
  decodeInterix,
  interixLimitBytes,
  kindByTag,
  readReparse,
  targetOf,
  type Interix,
  type Reparse,
} from "./reparse.ts";
import { attributeTypes, directoryIndex, standardInformation } from "./records.ts";
import { readStream, type Stream } from "./stream.ts";
import { wofDataOf, wofStream, type WofData } from "./wof.ts";

/** What a file is, from its attributes. */
export interface FileFacts {
  readonly file: NtfsFile;
  readonly what: string;
  /** Its unnamed data; absent of a directory. */
  readonly data: Stream | undefined;
  readonly reparse: Reparse | undefined;
  readonly interix: Interix | undefined;
  /** Its data, where Windows compressed it as one of its own. */
  readonly wof: WofData | undefined;
  readonly kind: FileStat["kind"];
  readonly dosAttributes: number;
}

/** Everything that tells what a file is. Throws `damaged`. */
export async function readFacts(source: NtfsSource, number: number): Promise<FileFacts> {
  const file = await source.file(number);
  const what = whatIs(file);
  const information = standardOf(file, what);
  const reparse = await readReparse(source, file);
  const data = file.record.isDirectory ? undefined : source.stream(file, attributeTypes.data, "");
  const isSystem = (information.attributes & dosAttributes.system) !== 0;
  const interix = isSystem && reparse === undefined ? await readInterix(source, data) : undefined;
  const kind =
    (reparse === undefined ? undefined : kindByTag(reparse.tag)) ??
    interix?.kind ??
    (file.record.isDirectory ? "directory" : "file");
  const isWof = reparse !== undefined && data !== undefined;
  const wof = isWof ? wofDataOf(source, file, reparse, data.dataBytes) : undefined;
  return { file, what, data, reparse, interix, wof, kind, dosAttributes: information.attributes };
}

/** A file in words: its name, if it has one. */
export function whatIs({ attributes, record }: NtfsFile): string {
  const named = attributes.find(({ type, isOutside }) => type === attributeTypes.fileName && !isOutside);
  const number = `file ${record.number}`;
  if (named === undefined) return number;
  return `${JSON.stringify(decodeKey(valueOf(named), number).name)} (${number})`;
}

function standardOf({ attributes }: NtfsFile, what: string): ReturnType<typeof standardInformation.decode> {
  const found = attributes.find(({ type, isOutside }) => type === attributeTypes.standardInformation && !isOutside);
  const value = found === undefined ? undefined : valueOf(found);
  if (value !== undefined && value.length >= standardInformation.sizeBytes) return standardInformation.decode(value);
  throw damaged(what, "its times and attributes are not there");
}

async function readInterix(source: NtfsSource, data: Stream | undefined): Promise<Interix | undefined> {
  if (data === undefined || data.dataBytes === 0 || data.dataBytes > interixLimitBytes) return undefined;
  if (data.unitClusters > 0 || data.isEncrypted) return undefined;
  return decodeInterix(await readStream(source, data, 0, data.dataBytes));
}

/** Where a symbolic link leads. Throws `damaged`. */
export function linkTargetOf({ reparse, interix, what }: FileFacts): string {
  const target = interix?.target ?? (reparse === undefined ? "" : targetOf(reparse, what));
  if (target !== "" && !target.includes("\0")) return target;
  throw damaged(what, "its link says nothing");
}

/** Named streams of at most so many bytes are shown as extended attributes; Linux has none longer. */
const xattrLimitBytes = 64 * 1024;
const xattrPrefix = "user.";
const streamLimit = 100;

export async function statOf(source: NtfsSource, facts: FileFacts): Promise<FileStat> {
  const { file, what, data, kind } = facts;
  const { created, modified, changed, accessed } = standardOf(file, what);
  const index = source.stream(file, attributeTypes.indexAllocation, directoryIndex);
  const attributes = kind === "directory" ? dosAttributes.directory : facts.dosAttributes & 0xff;
  const stream = kind === "directory" ? index : data;
  const device = facts.interix?.device;
  const xattrs = await namedStreams(source, facts);
  return {
    id: file.record.number,
    kind,
    mode: kind === "symlink" ? 0o777 : modeOf(attributes),
    uid: 0,
    gid: 0,
    sizeBytes: sizeOf(facts, stream),
    allocatedBytes: allocatedBytesOf(facts.wof?.packed ?? stream, source.geometry.clusterBytes),
    links: Math.max(1, namesOf(file).length),
    modified: modified === 0n ? earliest : decodeTicks(modified),
    accessed: decodeTicks(accessed),
    changed: decodeTicks(changed),
    created: decodeTicks(created),
    ...(device === undefined ? {} : { device }),
    ...(xattrs.size === 0 ? {} : { xattrs }),
  };
}

function sizeOf(facts: FileFacts, stream: Stream | undefined): number {
  if (facts.kind === "symlink") return Buffer.byteLength(linkTargetOf(facts));
  if (facts.kind === "file" || facts.kind === "directory") return stream?.dataBytes ?? 0;
  return 0;
}

function allocatedBytesOf(stream: Stream | undefined, clusterBytes: number): number {
  if (stream === undefined) return 0;
  return stream.runs.reduce((sum, { cluster, count }) => sum + (cluster === undefined ? 0 : count), 0) * clusterBytes;
}

/** The names of a file, without the short ones for old programs. */
function namesOf({ attributes, record }: NtfsFile): string[] {
  return attributes
    .filter(({ type, isOutside }) => type === attributeTypes.fileName && !isOutside)
    .map((one) => decodeKey(valueOf(one), `file ${record.number}`))
    .filter(isOwnName)
    .map(({ name }) => name);
}

/** Named streams, as ntfs-3g shows them. Longer, compressed and encrypted ones are left out. */
async function namedStreams(source: NtfsSource, { file, wof }: FileFacts): Promise<Map<string, Uint8Array>> {
  const names = new Set(file.attributes.filter(isNamedData).map(({ name }) => name));
  const found = new Map<string, Uint8Array>();
  if (wof !== undefined) names.delete(wofStream);
  for (const name of names) {
    const stream = source.stream(file, attributeTypes.data, name);
    if (stream === undefined || stream.dataBytes > xattrLimitBytes || found.size >= streamLimit) continue;
    if (stream.unitClusters > 0 || stream.isEncrypted) continue;
    found.set(xattrPrefix + name, await readStream(source, stream, 0, stream.dataBytes));
  }
  return found;
}

function isNamedData({ type, name }: { readonly type: number; readonly name: string }): boolean {
  return type === attributeTypes.data && name !== "";
}
