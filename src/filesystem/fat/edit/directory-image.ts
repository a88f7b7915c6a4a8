import { Failure } from "../../../base/index.ts";
import type { ClusterRun } from "../../cluster-run.ts";
import {
  deletedMark,
  directoryLimitBytes,
  shortEntry,
  slotBytes,
  slotUse,
  type ShortEntry,
} from "../directory-entry.ts";
import { isDotSlot, namedSlots, type NamedSlot } from "../directory-reader.ts";
import { foldedName } from "../file-name.ts";
import { encodeLongName, longSlotsOf } from "../long-name.ts";
import { aliasOf, decodeShortName, keyOf, plainShortName } from "../short-name.ts";

const slotLimit = directoryLimitBytes / slotBytes;

/** A directory as it is to be, held in memory, beside what the device has of it. */
export class DirectoryImage {
  /** Its clusters in their order. None: the root directory of FAT12 and FAT16. */
  readonly clusters: ClusterRun[];
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
  /** The same as it is to be. */
  #end: number;
  /** No hole is known before this slot. */
  #searchFrom = 0;
  #names: Map<string, NamedSlot> | undefined;
  #shortNames = new Set<string>();

  /** A directory that is there (`known` entries of it), or a new one without any. */
  constructor(bytes: Uint8Array, place: { clusters: readonly ClusterRun[]; capacity: number; known: number }) {
    this.bytes = bytes;
    this.clusters = [...place.clusters];
    this.capacity = place.capacity;
    this.knownSlots = place.known;
    this.#end = this.#findEnd();
    this.knownEnd = this.knownSlots === 0 ? 0 : this.#end;
  }

  /** Clusters were added that the device does not know of. */
  isGrown = false;

  get isChanged(): boolean {
    return this.before !== undefined || this.knownSlots === 0 || this.isGrown;
  }

  /** The slot after the last entry. */
  get end(): number {
    return this.#end;
  }

  /** The first cluster, 0 for the root directory of FAT12 and FAT16. */
  get start(): number {
    return this.clusters[0]?.start ?? 0;
  }

  /** Whether the device has an entry in use at a slot. */
  wasUsed(slot: number): boolean {
    return slot < this.knownEnd && slotUse(this.before ?? this.bytes, slot * slotBytes) !== "deleted";
  }

  entry(slot: number): ShortEntry {
    return shortEntry.decode(this.bytes, slot * slotBytes);
  }

  patch(slot: number, values: Partial<ShortEntry>): void {
    this.#change();
    shortEntry.patch(this.bytes, values, slot * slotBytes);
  }

  /** The files in it, in the order of the disk. */
  *items(): Generator<NamedSlot> {
    for (const named of namedSlots(this.bytes.subarray(0, this.#end * slotBytes))) {
      if (!isDotSlot(this.bytes, named.slot)) yield named;
    }
  }

  /** The slot of `.` or `..`, which a directory may lack that is damaged. */
  dotSlot(name: "." | ".."): number | undefined {
    for (const named of namedSlots(this.bytes.subarray(0, 2 * slotBytes))) if (named.name === name) return named.slot;
    return undefined;
  }

  get isEmpty(): boolean {
    for (const _ of this.items()) return false;
    return true;
  }

  /** The file that has a name, long or short, as FAT tells names apart. */
  find(name: string): NamedSlot | undefined {
    return this.#index().get(foldedName(name));
  }

  /** How many entries a name would take. */
  slotsFor(name: string): number {
    return plainShortName(name) === undefined ? longSlotsOf(name) + 1 : 1;
  }

  /** Where so many entries in a row go; undefined where the directory has to grow first. */
  room(count: number): number | undefined {
    let free = 0;
    for (let slot = Math.min(this.#searchFrom, this.#end); slot < this.#end; slot++) {
      const isFree = slotUse(this.bytes, slot * slotBytes) === "deleted" && !this.wasUsed(slot);
      free = isFree ? free + 1 : 0;
      if (free === count) return slot + 1 - count;
    }
    this.#searchFrom = this.#end - free;
    const start = this.#end;
    if (start + count > slotLimit) {
      throw new Failure("no-space", `cannot add a name: a directory of FAT holds ${slotLimit} entries`);
    }
    return start + count <= this.capacity ? start : undefined;
  }

  /** Where so many entries in a row go that this command has taken away: only where there is no other room. */
  roomOfDeleted(count: number): number | undefined {
    let free = 0;
    for (let slot = 0; slot < this.capacity; slot++) {
      free = slot >= this.#end || slotUse(this.bytes, slot * slotBytes) === "deleted" ? free + 1 : 0;
      if (free === count) return slot + 1 - count;
    }
    return undefined;
  }

  /** Enters a name at a place that `room` gave, with what else its entry says; gives its slot. */
  add(name: string, firstSlot: number, values: Omit<ShortEntry, "name" | "caseBits">): number {
    this.#change();
    const index = this.#index();
    const plain = plainShortName(name);
    const shortName = plain?.bytes ?? aliasOf(name, (alias) => this.#shortNames.has(alias) || index.has(shown(alias)));
    const long = plain === undefined ? encodeLongName(name, shortName) : new Uint8Array(0);
    const slot = firstSlot + long.length / slotBytes;
    this.#provide(slot + 1);
    this.bytes.set(long, firstSlot * slotBytes);
    this.bytes.fill(0, slot * slotBytes, (slot + 1) * slotBytes);
    shortEntry.patch(this.bytes, { ...values, name: shortName, caseBits: plain?.caseBits ?? 0 }, slot * slotBytes);
    if (slot >= this.#end) this.#end = slot + 1;
    this.#enter({ name, isLong: plain === undefined, firstSlot, slot }, keyOf(shortName));
    return slot;
  }

  /** Puts an entry as it is at the end of a new directory: `.` and `..`. */
  addRaw(entry: Uint8Array): void {
    this.#provide(this.#end + 1);
    this.bytes.set(entry, this.#end * slotBytes);
    this.#end++;
  }

  /** Takes a name away. */
  remove({ firstSlot, slot, name }: NamedSlot): void {
    this.#change();
    const index = this.#index();
    const key = keyOf(shortEntry.get(this.bytes, "name", slot * slotBytes));
    for (let at = firstSlot; at <= slot; at++) this.bytes[at * slotBytes] = deletedMark;
    for (const known of [foldedName(name), shown(key)]) if (index.get(known)?.slot === slot) index.delete(known);
    this.#shortNames.delete(key);
    if (!this.wasUsed(slot)) this.#searchFrom = Math.min(this.#searchFrom, firstSlot);
  }

  #index(): Map<string, NamedSlot> {
    if (this.#names !== undefined) return this.#names;
    this.#names = new Map();
    this.#shortNames = new Set();
    for (const named of this.items())
      this.#enter(named, keyOf(shortEntry.get(this.bytes, "name", named.slot * slotBytes)));
    return this.#names;
  }

  #enter(named: NamedSlot, key: string): void {
    const names = this.#names ?? new Map<string, NamedSlot>();
    const folded = foldedName(named.name);
    const there = names.get(folded);
    if (there === undefined || foldedName(there.name) !== folded) names.set(folded, named);
    if (named.isLong && !names.has(shown(key))) names.set(shown(key), named);
    this.#shortNames.add(key);
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
    for (let slot = 0; slot < slots; slot++) if (slotUse(this.bytes, slot * slotBytes) === "end") return slot;
    return slots;
  }
}

/** A short name as it is looked up, folded. */
function shown(key: string): string {
  return foldedName(decodeShortName(Buffer.from(key, "latin1"), 0));
}
