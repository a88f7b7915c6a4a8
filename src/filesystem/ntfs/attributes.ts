import { damaged } from "../damaged.ts";
import { putBackEnds } from "./fixups.ts";
import { decodeUnits } from "./ntfs-name.ts";
import {
  attributeHeader,
  attributeTypes,
  outsideHeader,
  recordFlags,
  recordHeader,
  recordSignature,
  residentHeader,
} from "./records.ts";

/** A record of the master file table, whole. */
export interface FileRecord {
  readonly number: number;
  readonly bytes: Uint8Array;
  readonly sequence: number;
  readonly isInUse: boolean;
  readonly isDirectory: boolean;
  /** The record that this one adds to; undefined of a file's own. */
  readonly base: FileReference | undefined;
}

export interface FileReference {
  readonly number: number;
  readonly sequence: number;
}

/** One attribute, or the piece of it that a record has. */
export interface Attribute {
  readonly type: number;
  readonly name: string;
  readonly flags: number;
  readonly id: number;
  /** With its header. */
  readonly bytes: Uint8Array;
  /** Its value stands in clusters outside. */
  readonly isOutside: boolean;
}

/** More attributes than this are in no record. */
const attributeLimit = 4000;

/** A record with the ends of its sectors put back. Throws `damaged`. */
export function decodeRecord(bytes: Uint8Array, number: number): FileRecord {
  const what = `record ${number} of NTFS`;
  const header = recordHeader.decode(bytes);
  if (header.signature !== recordSignature) throw damaged(what, "it is none");
  putBackEnds(bytes, what);
  const { flags, sequence, usedBytes, attributesOffset } = header;
  if (usedBytes > bytes.length || attributesOffset < recordHeader.sizeBytes || attributesOffset > usedBytes) {
    throw damaged(what, `its ${usedBytes} bytes, with attributes from ${attributesOffset} on, cannot be`);
  }
  const base = { number: header.baseLow + header.baseHigh * 2 ** 32, sequence: header.baseSequence };
  return {
    number,
    bytes,
    sequence,
    isInUse: (flags & recordFlags.inUse) !== 0,
    isDirectory: (flags & recordFlags.directory) !== 0,
    base: base.number === 0 && base.sequence === 0 ? undefined : base,
  };
}

/** The attributes of a record. Throws `damaged` where one passes its end. */
export function attributesOf({ bytes: record, number }: FileRecord): Attribute[] {
  const { attributesOffset, usedBytes } = recordHeader.decode(record);
  const what = `record ${number} of NTFS`;
  const found: Attribute[] = [];
  for (let at = attributesOffset; at + 4 <= usedBytes;) {
    if (new DataView(record.buffer, record.byteOffset + at).getUint32(0, true) === attributeTypes.end) return found;
    if (at + residentHeader.sizeBytes > usedBytes) break;
    const header = attributeHeader.decode(record, at);
    const end = at + header.lengthBytes;
    const leastBytes = header.isOutside === 0 ? residentHeader.sizeBytes : outsideHeader.sizeBytes;
    if (header.lengthBytes < leastBytes || end > usedBytes || found.length >= attributeLimit) {
      throw damaged(what, `it has an attribute of ${header.lengthBytes} bytes at ${at}`);
    }
    const bytes = record.subarray(at, end);
    found.push(decodeAttribute(bytes, header, what));
    at = end;
  }
  throw damaged(what, "its attributes have no end");
}

function decodeAttribute(
  bytes: Uint8Array,
  { type, flags, id, isOutside, nameUnits, nameOffset }: ReturnType<typeof attributeHeader.decode>,
  what: string,
): Attribute {
  if (nameOffset + nameUnits * 2 > bytes.length) throw damaged(what, `the name of an attribute passes its end`);
  if (isOutside === 0) {
    const { valueBytes, valueOffset } = residentHeader.decode(bytes);
    if (valueOffset + valueBytes > bytes.length) {
      throw damaged(what, `a value of ${valueBytes} bytes at ${valueOffset} passes its end`);
    }
  } else if (outsideHeader.get(bytes, "runsOffset") > bytes.length) {
    throw damaged(what, "the list of an attribute's clusters passes its end");
  }
  const name = decodeUnits(bytes.subarray(nameOffset, nameOffset + nameUnits * 2));
  return { type, name, flags, id, bytes, isOutside: isOutside !== 0 };
}

/** The value of an attribute that stands in its record. */
export function valueOf({ bytes }: Attribute): Uint8Array {
  const { valueBytes, valueOffset } = residentHeader.decode(bytes);
  return bytes.subarray(valueOffset, valueOffset + valueBytes);
}
