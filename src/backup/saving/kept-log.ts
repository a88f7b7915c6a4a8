import { Failure } from "../../base/index.ts";
import { readBytes, type UnreadableStretch } from "../../device/index.ts";
import type { Frame, WrittenFile } from "../packed/index.ts";
import { parseDataName } from "../clonezilla/index.ts";
import { pathIn, unfinishedEnding, type BackupStore } from "../store/index.ts";
import type { SavedPart } from "./request.ts";

/**
 * What an unfinished backup says of itself, so that it can be gone on with: lines of JSON, each added once what it tells is
 * there. `docs/decisions/0029` says why.
 */

/** What is being saved, and how. */
export interface BegunSave {
  readonly version: 1;
  readonly source: string;
  readonly disk: string;
  readonly sizeBytes: number;
  /** Of the partition table, as sfdisk would print it. */
  readonly table: string;
  readonly partitions: readonly number[] | null;
  readonly packedAs: string;
  readonly level: number | null;
  readonly volumeBytes: number;
  readonly nowMs: number;
  readonly command: string;
}

/** A part of a partition that is there, and what it was made of. */
export interface KeptFrame extends Frame {
  readonly sum: number;
}

/** What is there of one partition. */
export interface KeptPart {
  readonly name: string;
  readonly kind: string;
  readonly saved: "image" | "whole";
  readonly identity: string;
  readonly frames: KeptFrame[];
  readonly volumes: WrittenFile[];
  /** Set once all of it is there. */
  done?: SavedPart;
}

export interface KeptSave {
  readonly begun: BegunSave;
  readonly parts: readonly KeptPart[];
  readonly unreadable: readonly UnreadableStretch[];
  /** The log as far as it can be read. */
  readonly text: string;
  /** As the folder lists it. */
  readonly logName: string;
}

export type LogLine =
  | { readonly begun: BegunSave }
  | { readonly part: Pick<KeptPart, "name" | "kind" | "saved" | "identity"> }
  | { readonly frame: readonly [packedBytes: number, plainBytes: number, sum: number] }
  | { readonly volume: readonly [name: string, sizeBytes: number, sha1: string] }
  | { readonly unreadable: readonly (readonly [startBytes: number, lengthBytes: number])[] }
  | { readonly done: SavedPart };

const logForm = /^resume(?:-\d+\.log|\.log\.part)$/;
const logLimitBytes = 512 * 1024 * 1024;
export const localLogName = "resume.log";

export function isLogName(name: string): boolean {
  return logForm.test(name);
}

/** The names of logs in a list of files, the newest first. */
function logNamesIn(names: readonly string[]): readonly string[] {
  return names.filter(isLogName).sort((a, b) => b.localeCompare(a, "en", { numeric: true }));
}

/** What is there of a backup in a folder that was not finished; undefined where its log does not tell. */
export async function readKept(store: BackupStore, name: string): Promise<KeptSave | undefined> {
  const folder = name + unfinishedEnding;
  const logs = logNamesIn((await store.list(folder)).map((item) => item.name));
  for (const logName of logs) {
    const kept = parseLog(await readText(store, pathIn(folder, logName)), logName);
    if (kept !== undefined) return kept;
  }
  return undefined;
}

async function readText(store: BackupStore, path: string): Promise<string> {
  await using reader = await store.open(path);
  if (reader.sizeBytes > logLimitBytes) throw new Failure("damaged", `cannot read "${path}": it is too long`);
  return Buffer.from(await readBytes(reader, 0, reader.sizeBytes)).toString();
}

/** Reads as far as lines make sense: the last one may have been cut off, and what a disk lost is zeros. */
function parseLog(text: string, logName: string): KeptSave | undefined {
  let begun: BegunSave | undefined;
  const parts: KeptPart[] = [];
  let unreadable: readonly UnreadableStretch[] = [];
  let end = 0;
  for (let at = 0, next = text.indexOf("\n"); next >= 0; at = next + 1, next = text.indexOf("\n", at)) {
    const line = parseLine(text.slice(at, next));
    if (line === undefined) break;
    if ("begun" in line) begun = line.begun;
    else if (begun === undefined) break;
    else if ("unreadable" in line)
      unreadable = line.unreadable.map(([startBytes, lengthBytes]) => ({ startBytes, lengthBytes }));
    else if ("part" in line) parts.push({ ...line.part, frames: [], volumes: [] });
    else if (!addTo(parts.at(-1), line)) break;
    end = next + 1;
  }
  if (begun?.version !== 1) return undefined;
  return { begun, parts, unreadable, text: text.slice(0, end), logName };
}

function parseLine(text: string): LogLine | undefined {
  let line: unknown;
  try {
    line = JSON.parse(text);
  } catch {
    return undefined;
  }
  return isRecord(line) && isLine(line) ? line : undefined;
}

type UnknownRecord = Readonly<Record<string, unknown>>;

function isRecord(value: unknown): value is UnknownRecord {
  return typeof value === "object" && value !== null;
}

/** Whether it says what some line says, in the types that it is said in. */
function isLine(line: UnknownRecord): line is LogLine & UnknownRecord {
  const { begun, part, frame, volume, unreadable, done } = line;
  if (begun !== undefined)
    return isRecord(begun) && areText(begun, "source", "disk", "command") && areCounts([begun["nowMs"]]);
  if (part !== undefined) return isRecord(part) && areText(part, "name", "kind", "identity") && isHow(part["saved"]);
  if (frame !== undefined) return Array.isArray(frame) && frame.length === 3 && areCounts(frame);
  if (volume !== undefined) return isVolume(volume);
  if (unreadable !== undefined) {
    return (
      Array.isArray(unreadable) &&
      unreadable.every((pair) => Array.isArray(pair) && pair.length === 2 && areCounts(pair))
    );
  }
  return (
    isRecord(done) &&
    areText(done, "name", "type") &&
    isHow(done["saved"]) &&
    areCounts([done["usedBytes"], done["packedBytes"]])
  );
}

function isVolume(volume: unknown): boolean {
  if (!Array.isArray(volume) || volume.length !== 3) return false;
  const [name, sizeBytes, sha1] = volume as readonly unknown[];
  return (
    typeof name === "string" && parseDataName(name) !== undefined && areCounts([sizeBytes]) && typeof sha1 === "string"
  );
}

function areText(record: UnknownRecord, ...keys: readonly string[]): boolean {
  return keys.every((key) => typeof record[key] === "string");
}

function areCounts(values: readonly unknown[]): boolean {
  return values.every((value) => Number.isSafeInteger(value) && Number(value) >= 0);
}

function isHow(value: unknown): boolean {
  return value === "image" || value === "whole";
}

function addTo(part: KeptPart | undefined, line: LogLine): boolean {
  if (part === undefined) return false;
  if ("frame" in line) {
    const [packedBytes, plainBytes, sum] = line.frame;
    part.frames.push({ packedBytes, plainBytes, sum });
  } else if ("volume" in line) {
    const [name, sizeBytes, sha1] = line.volume;
    part.volumes.push({ name, sizeBytes, sha1 });
  } else if ("done" in line) {
    part.done = line.done;
  }
  return true;
}
