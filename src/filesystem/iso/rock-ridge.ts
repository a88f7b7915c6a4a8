import { ascii, decodeName, Struct, u8 } from "../../bytes/index.ts";
import type { DeviceNumber, Timestamp } from "../../tree/index.ts";
import { bothU32 } from "./both-endian.ts";
import { damaged } from "../damaged.ts";
import { decodeLongDate, decodeShortDate, longDateBytes, shortDateBytes } from "./iso-date.ts";
import { LinkTarget } from "./link-target.ts";
import type { SystemUseEntry } from "./system-use.ts";

/*
 * The entries of RRIP 1.12 §4.1, from their start. PX was without a serial number in version 1.09.
 */
export const posixAttributes = new Struct("Rock Ridge PX", 36, {
  mode: [4, bothU32],
  links: [12, bothU32],
  uid: [20, bothU32],
  gid: [28, bothU32],
});
export const serialNumber = new Struct("Rock Ridge PX serial number", 44, { serial: [36, bothU32] });
export const deviceNumber = new Struct("Rock Ridge PN", 20, { high: [4, bothU32], low: [12, bothU32] });
/** CL and PL. */
export const directoryLink = new Struct("Rock Ridge CL", 12, { block: [4, bothU32] });
/** Not of RRIP but of zisofs, which is Linux's. */
export const zisofsEntry = new Struct("zisofs ZF", 16, {
  algorithm: [4, ascii(2)],
  headerWords: [6, u8],
  blockSizeLog2: [7, u8],
  /** In version 2 these eight bytes are one number, little-endian. */
  sizeBytes: [8, bothU32],
});

/** The longest name that NM entries may make up; Linux's is 255. */
const nameLimitBytes = 1024;

const nameContinues = 1;
/** The name is `.` or `..`, or some other that is not in the entry. */
const nameIsElsewhere = 0x2 | 0x4 | 0x20;

/** How a file's data was packed. */
export interface PackedData {
  readonly algorithm: string;
  readonly version: number;
  readonly headerBytes: number;
  readonly blockSizeLog2: number;
  readonly sizeBytes: number;
}

/** What Rock Ridge says of a file. */
export interface RockRidge {
  /** Absent where the ISO 9660 name stands. */
  readonly name?: string;
  /** All of `st_mode`. */
  readonly mode?: number;
  readonly links?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly serial?: number;
  readonly device?: DeviceNumber;
  readonly linkTarget?: string;
  readonly times: Partial<Readonly<Record<"created" | "modified" | "accessed" | "changed", Timestamp>>>;
  /** Where the directory is that this record stands for, moved there as it was too deep. */
  readonly childBlock?: number;
  /** A directory that was moved here and shows elsewhere. */
  readonly isRelocated: boolean;
  readonly packed?: PackedData;
  /** The SF entry of a sparse file, whose data is tables of its parts, and these. */
  readonly sparse?: Uint8Array;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Gathers what the entries of a record say. Throws `damaged` where they are too short for it. */
export function decodeRockRidge(entries: readonly SystemUseEntry[], what: string): RockRidge {
  const found: Mutable<RockRidge> = { times: {}, isRelocated: false };
  const names: Uint8Array[] = [];
  let nameIsWhole = false;
  const target = new LinkTarget(what);
  for (const entry of entries) {
    const { bytes } = entry;
    switch (entry.signature) {
      case "NM":
        if (nameIsWhole || bytes.length < 5) break;
        if (((bytes[4] ?? 0) & nameIsElsewhere) === 0) names.push(bytes.subarray(5));
        nameIsWhole = ((bytes[4] ?? 0) & nameContinues) === 0;
        break;
      case "SL":
        target.add(bytes.subarray(4));
        break;
      case "RE":
        found.isRelocated = true;
        break;
      case "SF":
        found.sparse = bytes;
        break;
      default:
        addFixed(found, entry, what);
    }
  }
  const name = Buffer.concat(names);
  if (name.length > nameLimitBytes) throw damaged(what, `its name of ${name.length} bytes is too long`);
  if (name.length > 0) found.name = decodeName(name);
  const linkTarget = target.text;
  if (linkTarget !== undefined) found.linkTarget = linkTarget;
  return found;
}

/** The entries of a fixed form. */
function addFixed(found: Mutable<RockRidge>, { signature, bytes }: SystemUseEntry, what: string): void {
  switch (signature) {
    case "PX":
      requireLength(bytes, posixAttributes.sizeBytes, what);
      Object.assign(found, posixAttributes.decode(bytes));
      if (bytes.length >= serialNumber.sizeBytes) Object.assign(found, serialNumber.decode(bytes));
      break;
    case "PN":
      requireLength(bytes, deviceNumber.sizeBytes, what);
      found.device = deviceOf(deviceNumber.decode(bytes));
      break;
    case "TF":
      Object.assign(found.times, decodeTimes(bytes, what));
      break;
    case "CL":
      requireLength(bytes, directoryLink.sizeBytes, what);
      found.childBlock = directoryLink.get(bytes, "block");
      break;
    case "ZF":
    case "Z2":
      requireLength(bytes, zisofsEntry.sizeBytes, what);
      found.packed = decodePacked(bytes);
      break;
    default: // of other programs
  }
}

function requireLength(bytes: Uint8Array, sizeBytes: number, what: string): void {
  if (bytes.length < sizeBytes) throw damaged(what, `an entry of its system use area ends after ${bytes.length} bytes`);
}

/** A number that fills only the low half is in the form of Linux's old 8 and 8 bits, as Linux takes it. */
function deviceOf({ high, low }: { readonly high: number; readonly low: number }): DeviceNumber {
  if (high === 0 && (low & ~0xff) !== 0) return { major: low >>> 8, minor: low & 0xff };
  return { major: high, minor: low };
}

const timeNames = ["created", "modified", "accessed", "changed"] as const;
const longForm = 0x80;
const timeKinds = 7;

function decodeTimes(bytes: Uint8Array, what: string): RockRidge["times"] {
  const flags = bytes[4] ?? 0;
  const isLong = (flags & longForm) !== 0;
  const stampBytes = isLong ? longDateBytes : shortDateBytes;
  const times: Mutable<RockRidge["times"]> = {};
  let at = 5;
  for (let kind = 0; kind < timeKinds; kind++) {
    if ((flags & (1 << kind)) === 0) continue;
    requireLength(bytes, at + stampBytes, what);
    const time = isLong ? decodeLongDate(bytes, at) : decodeShortDate(bytes, at);
    const name = timeNames[kind];
    if (name !== undefined && time !== undefined) times[name] = time;
    at += stampBytes;
  }
  return times;
}

function decodePacked(bytes: Uint8Array): PackedData {
  const version = bytes[3] ?? 0;
  const { algorithm, headerWords, blockSizeLog2, sizeBytes } = zisofsEntry.decode(bytes);
  const high = version === 1 ? 0 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(12, true);
  return { algorithm, version, headerBytes: headerWords * 4, blockSizeLog2, sizeBytes: sizeBytes + high * 2 ** 32 };
}
