import { clusterAt, type ExfatLayout } from "./layout.ts";
import type { ClusterRun } from "../cluster-run.ts";
import { nameHash, setChecksum } from "./checksums.ts";
import { entryTypes, fileEntry, nameEntry, slotBytes, streamEntry, typeBits } from "./records.ts";
import type { UpcaseTable } from "./upcase.ts";

const unitsPerSlot = 15;
/** The file entry and the stream extension come before the name. */
const headSlots = 2;

/** The entries of a file in a directory. Slots count entries of 32 bytes. */
export interface FileSet {
  readonly kind: "file";
  readonly name: string;
  readonly slot: number;
  /** How many entries there are, with those that makers add. */
  readonly count: number;
}

/** What else stands in a directory. */
interface OtherEntries {
  /** `volume`: of the volume itself. `other`: may be passed over. `unknown`: must be known. `broken`: makes no sense. */
  readonly kind: "volume" | "other" | "unknown" | "broken";
  readonly slot: number;
  readonly count: number;
  /** Of what is broken or unknown. */
  readonly why: string;
}

export type EntrySet = FileSet | OtherEntries;

const volumeTypes: ReadonlySet<number> = new Set([entryTypes.bitmap, entryTypes.upcase, entryTypes.label]);

/** All entries in use up to the end of a directory, in the order of the disk, those that belong together as one. */
export function* entrySets(directory: Uint8Array): Generator<EntrySet> {
  const slots = Math.floor(directory.length / slotBytes);
  for (let slot = 0; slot < slots;) {
    const type = directory[slot * slotBytes] ?? entryTypes.end;
    if (type === entryTypes.end) return;
    if ((type & typeBits.inUse) === 0) {
      slot++;
      continue;
    }
    const set = setAt(directory, slot, type);
    yield set;
    slot += set.count;
  }
}

/** The files of a directory. */
export function* fileSets(directory: Uint8Array): Generator<FileSet> {
  for (const set of entrySets(directory)) if (set.kind === "file") yield set;
}

/** The set of a file that begins at a slot; undefined where none does. */
export function fileSetAt(directory: Uint8Array, slot: number): FileSet | undefined {
  const type = directory[slot * slotBytes] ?? entryTypes.end;
  const set = type === entryTypes.file ? setAt(directory, slot, type) : undefined;
  return set?.kind === "file" ? set : undefined;
}

function setAt(directory: Uint8Array, slot: number, type: number): EntrySet {
  if ((type & typeBits.secondary) !== 0) return broken(slot, 1, "it belongs to no other");
  if (type === entryTypes.file) return readFileSet(directory, slot);
  if (volumeTypes.has(type)) return { kind: "volume", slot, count: 1, why: "" };
  const count = 1 + followers(directory, slot);
  if ((type & typeBits.benign) !== 0) return { kind: "other", slot, count, why: "" };
  return { kind: "unknown", slot, count, why: `it is of the kind 0x${type.toString(16)}, which one must know` };
}

/** How many of the entries that the one at a slot says to have do follow it. */
function followers(directory: Uint8Array, slot: number): number {
  const wanted = directory[slot * slotBytes + 1] ?? 0;
  const bits = typeBits.inUse | typeBits.secondary;
  for (let n = 0; n < wanted; n++) {
    if (((directory[(slot + 1 + n) * slotBytes] ?? 0) & bits) !== bits) return n;
  }
  return wanted;
}

function readFileSet(directory: Uint8Array, slot: number): EntrySet {
  const wanted = fileEntry.get(directory, "secondaryCount", slot * slotBytes);
  const found = followers(directory, slot);
  const count = 1 + found;
  if (found < wanted) return broken(slot, count, `of its ${wanted + 1} entries there are ${count}`);
  const typeAt = (n: number): number => directory[(slot + n) * slotBytes] ?? 0;
  if (found === 0 || typeAt(1) !== entryTypes.stream) return broken(slot, count, "it does not say where its data is");
  const units = streamEntry.get(directory, "nameUnits", (slot + 1) * slotBytes);
  const named = headSlots + nameSlots(units);
  if (units === 0 || named > count) return broken(slot, count, `it has no room for a name of ${units} characters`);
  for (let n = headSlots; n < count; n++) {
    const isFitting = n < named ? typeAt(n) === entryTypes.name : (typeAt(n) & typeBits.benign) !== 0;
    if (!isFitting) return broken(slot, count, `it has an entry of the kind 0x${typeAt(n).toString(16)}`);
  }
  return { kind: "file", name: nameIn(directory, slot, units).toString("utf16le").toWellFormed(), slot, count };
}

function broken(slot: number, count: number, why: string): EntrySet {
  return { kind: "broken", slot, count, why };
}

/** The UTF-16 of a name. */
function nameIn(directory: Uint8Array, slot: number, units: number): Buffer {
  const parts: Uint8Array[] = [];
  for (let n = 0; n < nameSlots(units); n++) {
    parts.push(nameEntry.get(directory, "units", (slot + headSlots + n) * slotBytes));
  }
  return Buffer.concat(parts).subarray(0, units * 2);
}

function nameSlots(units: number): number {
  return Math.ceil(units / unitsPerSlot);
}

/** How many entries the set of a file of this name has, without those that makers add. */
export function slotsOf(name: string): number {
  return headSlots + nameSlots(name.length);
}

/** The bytes of a set. They are the directory's own. */
export function setBytes(directory: Uint8Array, { slot, count }: Pick<FileSet, "slot" | "count">): Uint8Array {
  return directory.subarray(slot * slotBytes, (slot + count) * slotBytes);
}

/** Whether the checksum of a set is right. */
export function isSealed(set: Uint8Array): boolean {
  return fileEntry.get(set, "checksum") === setChecksum(set);
}

/** Makes the checksum of a set right. */
export function seal(set: Uint8Array): void {
  fileEntry.patch(set, { checksum: setChecksum(set) });
}

/** The hash of a name that its set is to have. */
export function hashOfName(name: string, upcase: UpcaseTable): number {
  return nameHash(Buffer.from(upcase.fold(name), "utf16le"));
}

/** The entries with a name, in their order. */
export function encodeName(name: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(nameSlots(name.length) * slotBytes);
  for (let n = 0; n * unitsPerSlot < name.length; n++) {
    const units = Buffer.alloc(unitsPerSlot * 2);
    units.write(name.slice(n * unitsPerSlot, (n + 1) * unitsPerSlot), "utf16le");
    nameEntry.patch(bytes, { type: entryTypes.name, units }, n * slotBytes);
  }
  return bytes;
}

/** Where on the device a byte of a directory is that stands in these clusters. */
export function placeInRuns(layout: ExfatLayout, runs: readonly ClusterRun[], byte: number): number {
  let left = Math.floor(byte / layout.clusterBytes);
  for (const { start, count } of runs) {
    if (left < count) return clusterAt(layout, start + left) + (byte % layout.clusterBytes);
    left -= count;
  }
  throw new RangeError(`byte ${byte} is past the end of the directory`);
}
