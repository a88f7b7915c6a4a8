import { Failure } from "../../../base/index.ts";
import type { ClusterRun } from "../../cluster-run.ts";
import {
  encodeName,
  fileSetAt,
  fileSets,
  hashOfName,
  seal,
  setBytes,
  slotsOf,
  type FileSet,
} from "../directory-sets.ts";
import { factsIn, isDirectory, type FileFacts } from "../exfat-file.ts";
import {
  directoryLimitBytes,
  entryTypes,
  fileEntry,
  slotBytes,
  streamEntry,
  typeBits,
  type FileEntryRecord,
  type StreamEntryRecord,
} from "../records.ts";
import type { UpcaseTable } from "../upcase.ts";

const slotLimit = directoryLimitBytes / slotBytes;
const headBytes = 2 * slotBytes;

export interface DirectoryShape {
  readonly upcase: UpcaseTable;
  /** How many entries one sector has: it is written whole or not at all. */
  readonly sectorSlots: number;
}

/** A directory as it is to be, held in memory, beside what the device has of it. */
export class DirectoryImage {
  /** Its clusters in their order. */
  runs: readonly ClusterRun[];
  /** How many entries its clusters hold. */
  capacity: number;
  /** How many entries the device has of it: what follows is new. */
  readonly knownSlots: number;
  /** The entries as they are to be; what would follow is zeros. */
  bytes: Uint8Array;
  /** As the device has them, once one has changed. */
  before: Uint8Array | undefined;
  /** The slot after the last entry on the device. */
  readonly knownEnd: number;
  /** Sets that the device has of files that have new ones, by their slots: the ids of the files. */
  readonly retired = new Map<number, number>();
  /** Sets of directories that change in place, by their slots. */
  readonly early = new Set<number>();
  /** Clusters were added that the device does not know of. */
  isGrown = false;
  readonly #shape: DirectoryShape;
  /** The slot after the last entry as it is to be. */
  #end: number;
  /** No hole is known before this slot. */
  #searchFrom = 0;
  #names: Map<string, FileSet> | undefined;

  /** A directory that is there (`known` entries of it), or a new one without any. */
  constructor(
    bytes: Uint8Array,
    place: { readonly runs: readonly ClusterRun[]; readonly capacity: number; readonly known: number },
    shape: DirectoryShape,
  ) {
    this.bytes = bytes;
    this.runs = place.runs;
    this.capacity = place.capacity;
    this.knownSlots = place.known;
    this.#shape = shape;
    this.#end = this.#findEnd();
    this.knownEnd = this.#end;
  }

  get isChanged(): boolean {
    return this.before !== undefined || this.knownSlots === 0 || this.isGrown;
  }

  /** Whether the device has an entry in use at a slot. */
  wasUsed(slot: number): boolean {
    return slot < this.knownEnd && isInUse(this.before ?? this.bytes, slot);
  }

  /** The files in it, in the order of the disk. */
  items(): Iterable<FileSet> {
    return fileSets(this.bytes.subarray(0, this.#end * slotBytes));
  }

  get isEmpty(): boolean {
    for (const _ of this.items()) return false;
    return true;
  }

  /** The file that has a name, as the volume tells names apart. */
  find(name: string): FileSet | undefined {
    return this.#index().get(this.#shape.upcase.fold(name));
  }

  /** The entries of the file whose first one is at a slot. */
  setAt(slot: number): FileSet {
    const set = fileSetAt(this.bytes, slot);
    if (set === undefined) throw new RangeError(`no file begins at entry ${slot}`);
    return set;
  }

  factsAt(slot: number): FileFacts {
    return factsIn(setBytes(this.bytes, this.setAt(slot)));
  }

  /** Whether the set at a slot can be changed in one write: its first two entries are in one sector. */
  isWhole(slot: number): boolean {
    return !this.wasUsed(slot) || !this.#isTorn(slot);
  }

  /** Changes the first two entries of a set in place. */
  patch(slot: number, file: Partial<FileEntryRecord>, stream: Partial<StreamEntryRecord>): void {
    this.#change();
    const set = setBytes(this.bytes, this.setAt(slot));
    fileEntry.patch(set, file);
    streamEntry.patch(set, stream, slotBytes);
    seal(set);
    if (this.wasUsed(slot) && isDirectory(factsIn(set))) this.early.add(slot);
  }

  /** Where so many entries in a row go; undefined where the directory has to grow first. */
  room(count: number): number | undefined {
    let free = 0;
    for (let slot = Math.min(this.#searchFrom, this.#end); slot < this.#end; slot++) {
      const isFree = !isInUse(this.bytes, slot) && !this.wasUsed(slot);
      free = isFree ? free + 1 : 0;
      if (free > count || (free === count && !this.#isTorn(slot + 1 - count))) return slot + 1 - count;
    }
    this.#searchFrom = this.#end - free;
    const start = this.#startAtEnd;
    if (start + count > slotLimit) {
      throw new Failure("no-space", `cannot add a name: a directory of exFAT holds ${slotLimit} entries`);
    }
    return start + count <= this.capacity ? start : undefined;
  }

  /** How many entries it has to have room for so that so many more go to its end. */
  slotsWith(count: number): number {
    return this.#startAtEnd + count;
  }

  /**
   * Enters a file at a place that `room` gave. `head` is the first two entries, but for what depends on the name; `rest`
   * is what makers have added to its set.
   */
  add(name: string, slot: number, head: Uint8Array, rest: Uint8Array): void {
    const count = slotsOf(name) + rest.length / slotBytes;
    const set = Buffer.concat([head.subarray(0, headBytes), encodeName(name), rest]);
    fileEntry.patch(set, { type: entryTypes.file, secondaryCount: count - 1 });
    const nameHash = hashOfName(name, this.#shape.upcase);
    streamEntry.patch(set, { type: entryTypes.stream, nameUnits: name.length, nameHash }, slotBytes);
    seal(set);
    this.addBytes(name, slot, set);
  }

  /** Enters a whole set at a place that `room` gave. */
  addBytes(name: string, slot: number, set: Uint8Array): void {
    this.#change();
    const index = this.#index();
    const count = set.length / slotBytes;
    this.#provide(slot + count);
    for (let gap = this.#end; gap < slot; gap++) this.bytes[gap * slotBytes] = entryTypes.unused;
    this.bytes.set(set, slot * slotBytes);
    this.#end = Math.max(this.#end, slot + count);
    index.set(this.#shape.upcase.fold(name), { kind: "file", name, slot, count });
  }

  /** Takes a name away. */
  remove({ slot, count, name }: FileSet): void {
    this.#change();
    const folded = this.#shape.upcase.fold(name);
    const index = this.#index();
    if (index.get(folded)?.slot === slot) index.delete(folded);
    for (let at = slot; at < slot + count; at++) {
      this.bytes[at * slotBytes] = (this.bytes[at * slotBytes] ?? 0) & ~typeBits.inUse;
    }
    this.early.delete(slot);
    if (!this.wasUsed(slot)) this.#searchFrom = Math.min(this.#searchFrom, slot);
  }

  /** Takes a name away whose file, with this id, has another set. */
  retire(set: FileSet, id: number): void {
    this.remove(set);
    if (this.wasUsed(set.slot)) this.retired.set(set.slot, id);
  }

  #isTorn(slot: number): boolean {
    return slot % this.#shape.sectorSlots === this.#shape.sectorSlots - 1;
  }

  get #startAtEnd(): number {
    return this.#isTorn(this.#end) ? this.#end + 1 : this.#end;
  }

  #index(): Map<string, FileSet> {
    if (this.#names !== undefined) return this.#names;
    this.#names = new Map();
    for (const set of this.items()) {
      const folded = this.#shape.upcase.fold(set.name);
      if (!this.#names.has(folded)) this.#names.set(folded, set);
    }
    return this.#names;
  }

  #change(): void {
    if (this.before !== undefined || this.knownSlots === 0) return;
    this.before = this.bytes;
    this.bytes = Uint8Array.from(this.bytes);
    // What follows the end is no entry, but would look like one once the end has moved.
    this.bytes.fill(0, this.knownEnd * slotBytes);
  }

  #provide(slots: number): void {
    const needed = slots * slotBytes;
    if (needed <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    larger.set(this.bytes);
    this.bytes = larger;
  }

  #findEnd(): number {
    const slots = this.bytes.length / slotBytes;
    for (let slot = 0; slot < slots; slot++) if (this.bytes[slot * slotBytes] === entryTypes.end) return slot;
    return slots;
  }
}

function isInUse(bytes: Uint8Array, slot: number): boolean {
  return ((bytes[slot * slotBytes] ?? 0) & typeBits.inUse) !== 0;
}
