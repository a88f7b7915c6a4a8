import { shortEntry, slotBytes, slotUse } from "./directory-entry.ts";
import { LongNameParts } from "./long-name.ts";
import { decodeShortName } from "./short-name.ts";

/** A file's name in a directory, and where in it that stands. Slots count entries of 32 bytes. */
export interface NamedSlot {
  readonly name: string;
  /** The name is the long one, not the short one. */
  readonly isLong: boolean;
  /** The first entry that belongs to it. */
  readonly firstSlot: number;
  /** The short entry, its last one. */
  readonly slot: number;
}

/** Told of parts of long names that belong to nothing. */
export type OrphanReport = (slot: number) => void;

/** All files of a directory in the order of the disk, `.` and `..` included, labels left out. */
export function* namedSlots(directory: Uint8Array, onOrphan?: OrphanReport): Generator<NamedSlot> {
  const parts = new LongNameParts();
  let firstSlot = 0;
  for (let at = 0; at + slotBytes <= directory.length; at += slotBytes) {
    const slot = at / slotBytes;
    const use = slotUse(directory, at);
    if (use === "long") {
      const had = parts.slotCount > 0;
      const follows = parts.add(directory, at);
      if (!follows && (had || parts.slotCount === 0)) onOrphan?.(slot);
      if (parts.slotCount === 1) firstSlot = slot;
      continue;
    }
    if (use === "file") {
      const { name: shortName, caseBits } = shortEntry.decode(directory, at);
      const hadParts = parts.slotCount > 0;
      const longName = parts.take(shortName);
      if (hadParts && longName === undefined) onOrphan?.(slot);
      const start = longName === undefined ? slot : firstSlot;
      yield {
        name: longName ?? decodeShortName(shortName, caseBits),
        isLong: longName !== undefined,
        firstSlot: start,
        slot,
      };
      continue;
    }
    if (parts.drop()) onOrphan?.(slot);
    if (use === "end") return;
  }
}

/** Whether an entry is `.` or `..`, which every directory but the root begins with. */
export function isDotSlot(directory: Uint8Array, slot: number): boolean {
  const at = slot * slotBytes;
  const second = directory[at + 1];
  return directory[at] === 0x2e && (second === 0x20 || (second === 0x2e && directory[at + 2] === 0x20));
}
