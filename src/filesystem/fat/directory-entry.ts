import { attribute } from "../dos-attributes.ts";
import { bytes, Struct, u16, u32, u8, type StructRecord } from "../../bytes/index.ts";

/** Every entry of a directory takes so many bytes. */
export const slotBytes = 32;
/** More than this no system takes for a directory: 65,536 entries. */
export const directoryLimitBytes = 65_536 * slotBytes;

/** An entry with the short name of a file and all that is known of it ("FAT: General Overview" 1.03, p. 23). */
export const shortEntry = new Struct("FAT directory entry", slotBytes, {
  name: [0x00, bytes(11)],
  attributes: [0x0b, u8],
  caseBits: [0x0c, u8],
  createdHundredths: [0x0d, u8],
  createdTime: [0x0e, u16],
  createdDate: [0x10, u16],
  accessedDate: [0x12, u16],
  clusterHigh: [0x14, u16],
  modifiedTime: [0x16, u16],
  modifiedDate: [0x18, u16],
  clusterLow: [0x1a, u16],
  sizeBytes: [0x1c, u32],
});

export type ShortEntry = StructRecord<typeof shortEntry>;

/** An entry with thirteen characters of a long name ("FAT: General Overview" 1.03, p. 28). */
export const longEntry = new Struct("FAT long name entry", slotBytes, {
  order: [0x00, u8],
  name1: [0x01, bytes(10)],
  attributes: [0x0b, u8],
  type: [0x0c, u8],
  checksum: [0x0d, u8],
  name2: [0x0e, bytes(12)],
  name3: [0x1c, bytes(4)],
});

/** All of read-only, hidden, system and volume label: not a file but a part of a long name. */
export const longNameAttributes = 0x0f;
const longNameMask = 0x3f;

/** Of `caseBits`: the part of the name before, or after, the dot is in lower case. */
export const lowerBase = 0x08;
export const lowerExtension = 0x10;

export const deletedMark = 0xe5;
/** Stands for 0xe5 as the first byte of a name. */
const escapedDeleted = 0x05;

export type SlotUse = "end" | "deleted" | "long" | "label" | "file";

/** What the 32 bytes at a place of a directory are. */
export function slotUse(directory: Uint8Array, at: number): SlotUse {
  const first = directory[at] ?? 0;
  if (first === 0) return "end";
  if (first === deletedMark) return "deleted";
  const attributes = directory[at + 0x0b] ?? 0;
  if ((attributes & longNameMask) === longNameAttributes) return "long";
  return (attributes & attribute.volumeLabel) !== 0 ? "label" : "file";
}

/** The bytes of a short name, its first one as it is meant. */
export function shortNameBytes(name: Uint8Array): Uint8Array {
  if (name[0] !== escapedDeleted) return name;
  const meant = Uint8Array.from(name);
  meant[0] = deletedMark;
  return meant;
}

/** The first cluster of a file, 0 where it has none. FAT12 and FAT16 use the upper half for other things. */
export function clusterOf(entry: Pick<ShortEntry, "clusterHigh" | "clusterLow">, isLarge: boolean): number {
  return entry.clusterLow + (isLarge ? entry.clusterHigh * 0x10000 : 0);
}
