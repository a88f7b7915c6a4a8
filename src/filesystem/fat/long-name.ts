import { longEntry, longNameAttributes, slotBytes } from "./directory-entry.ts";

/** How many characters of a long name stand in one entry. */
const perSlot = 13;
/** How many UTF-16 units a name may have. */
export const longNameLimit = 255;
/** The most entries that a long name takes. */
const longSlotLimit = Math.ceil(longNameLimit / perSlot);
/** Of an entry's order: it is the last part of the name, which stands first. */
const lastPart = 0x40;

/** One part of a long name, as it stands in a directory. */
interface NamePart {
  readonly order: number;
  readonly isLast: boolean;
  readonly checksum: number;
  readonly units: Buffer;
}

function decodePart(directory: Uint8Array, at: number): NamePart {
  const { order, checksum, name1, name2, name3 } = longEntry.decode(directory, at);
  const isLast = (order & lastPart) !== 0;
  return { order: order & ~lastPart, isLast, checksum, units: Buffer.concat([name1, name2, name3]) };
}

/** The parts of a long name, gathered entry by entry as they stand before the short one. */
export class LongNameParts {
  #parts: NamePart[] = [];

  /** Takes the part at a place in; false where it does not follow what came before, which is then forgotten. */
  add(directory: Uint8Array, at: number): boolean {
    const part = decodePart(directory, at);
    const before = this.#parts.at(-1);
    const follows = part.isLast
      ? before === undefined
      : before !== undefined && part.order === before.order - 1 && part.checksum === before.checksum;
    if (part.isLast || !follows) this.#parts = [];
    if (part.order === 0 || part.order > longSlotLimit || (!part.isLast && !follows)) return false;
    this.#parts.push(part);
    return follows;
  }

  get slotCount(): number {
    return this.#parts.length;
  }

  /** Forgets what it holds and gives the name that belongs to a short one; undefined where there is none. */
  take(shortName: Uint8Array): string | undefined {
    const parts = this.#parts;
    this.#parts = [];
    const last = parts.at(-1);
    if (last === undefined || last.order !== 1 || last.checksum !== shortNameChecksum(shortName)) return undefined;
    const text = Buffer.concat(parts.toReversed().map(({ units }) => units)).toString("utf16le");
    const end = text.indexOf("\0");
    return (end < 0 ? text : text.slice(0, end)).toWellFormed();
  }

  /** Forgets what it holds; gives whether that was anything. */
  drop(): boolean {
    const had = this.#parts.length > 0;
    this.#parts = [];
    return had;
  }
}

/** The entries of a long name in the order in which they stand before the short one. */
export function encodeLongName(name: string, shortName: Uint8Array): Uint8Array<ArrayBuffer> {
  const count = longSlotsOf(name);
  const units = Buffer.alloc(count * perSlot * 2, 0xff);
  units.write(name, "utf16le");
  if (name.length < count * perSlot) units.writeUInt16LE(0, name.length * 2);
  const checksum = shortNameChecksum(shortName);
  const entries = new Uint8Array(count * slotBytes);
  for (let order = count; order > 0; order--) {
    const part = units.subarray((order - 1) * perSlot * 2);
    const values = {
      order: order === count ? order | lastPart : order,
      attributes: longNameAttributes,
      checksum,
      name1: part.subarray(0, 10),
      name2: part.subarray(10, 22),
      name3: part.subarray(22, 26),
    };
    longEntry.patch(entries, values, (count - order) * slotBytes);
  }
  return entries;
}

/** How many entries a long name takes. */
export function longSlotsOf(name: string): number {
  return Math.ceil(name.length / perSlot);
}

/** What ties the parts of a long name to the short one ("FAT: General Overview" 1.03, p. 29). */
function shortNameChecksum(shortName: Uint8Array): number {
  let sum = 0;
  for (const byte of shortName) sum = (((sum & 1) << 7) + (sum >> 1) + byte) & 0xff;
  return sum;
}
