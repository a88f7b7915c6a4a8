import {
  attributeTypes,
  ntfsAttribute,
  ntfsNonResident,
  ntfsRecord,
  ntfsRecordSignature,
  ntfsResident,
} from "./ntfs-records.ts";
import { damaged } from "./recognised.ts";

/** A record of the master file table, whole. */
export interface NtfsFileRecord {
  readonly number: number;
  readonly bytes: Uint8Array;
}

export interface NtfsAttribute {
  readonly type: number;
  readonly hasName: boolean;
  /** With its header. */
  readonly bytes: Uint8Array;
  readonly isOutside: boolean;
}

/** Clusters that stand together on the device. */
export interface ClusterRun {
  readonly cluster: number;
  readonly count: number;
}

/** More attributes than this are in no record. */
const attributeLimit = 1000;

/** The ends of so many bytes have a number instead of what belongs there, whatever the size of a sector. */
const strideBytes = 512;

/** A record with the ends of its sectors put back. Throws `damaged`. */
export function repairedRecord(bytes: Uint8Array, number: number): NtfsFileRecord {
  const what = `record ${number} of NTFS`;
  if (ntfsRecord.get(bytes, "signature") !== ntfsRecordSignature) throw damaged(what, "it is none");
  putBackEnds(bytes, what);
  return { number, bytes };
}

/** Puts back the ends of sectors; the number there tells whether all of it was written. Throws `damaged`. */
export function putBackEnds(bytes: Uint8Array, what: string): void {
  const { fixupOffset, fixupCount } = ntfsRecord.decode(bytes);
  const isWhole = fixupCount - 1 === bytes.length / strideBytes && fixupOffset + fixupCount * 2 <= strideBytes;
  if (!isWhole) throw damaged(what, `it has ${fixupCount} fixups at ${fixupOffset}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const mark = view.getUint16(fixupOffset, true);
  for (let n = 1; n < fixupCount; n++) {
    const end = n * strideBytes - 2;
    if (view.getUint16(end, true) !== mark) throw damaged(what, "only a part of it was written");
    view.setUint16(end, view.getUint16(fixupOffset + n * 2, true), true);
  }
}

/** The attributes of a record. Throws `damaged` where one passes its end. */
export function attributesOf({ bytes: record }: NtfsFileRecord): NtfsAttribute[] {
  const { attributesOffset, usedBytes } = ntfsRecord.decode(record);
  const end = Math.min(usedBytes, record.length);
  const found: NtfsAttribute[] = [];
  for (let at = attributesOffset; at + ntfsAttribute.sizeBytes <= end;) {
    const { type, lengthBytes, isOutside, nameUnits } = ntfsAttribute.decode(record, at);
    if (type === attributeTypes.end) break;
    if (lengthBytes < ntfsResident.sizeBytes || at + lengthBytes > end || found.length > attributeLimit) {
      throw damaged("a record of NTFS", `it has an attribute of ${lengthBytes} bytes at ${at}`);
    }
    const bytes = record.subarray(at, at + lengthBytes);
    found.push({ type, hasName: nameUnits > 0, bytes, isOutside: isOutside !== 0 });
    at += lengthBytes;
  }
  return found;
}

/** The value of an attribute that stands in its record. Throws `damaged`. */
export function valueOf({ bytes }: NtfsAttribute): Uint8Array {
  const { valueBytes, valueOffset } = ntfsResident.decode(bytes);
  if (valueOffset + valueBytes <= bytes.length) return bytes.subarray(valueOffset, valueOffset + valueBytes);
  throw damaged("a record of NTFS", `a value of ${valueBytes} bytes at ${valueOffset} passes its end`);
}

/** What an attribute says whose value stands in clusters outside. Throws `damaged`. */
export function nonResident(bytes: Uint8Array): ReturnType<typeof ntfsNonResident.decode> {
  if (bytes.length >= ntfsNonResident.sizeBytes) return ntfsNonResident.decode(bytes);
  throw damaged("a record of NTFS", `it has an attribute of ${bytes.length} bytes`);
}

/** The runs that mapping pairs spell: lengths, and distances from the run before. Nothing sparse is expected. */
export function* runsIn(pairs: Uint8Array, clusterCount: number): Generator<ClusterRun> {
  let cluster = 0;
  for (let at = 0; at < pairs.length;) {
    const header = pairs[at] ?? 0;
    if (header === 0) return;
    const [lengthSize, offsetSize] = [header & 0xf, header >>> 4];
    const end = at + 1 + lengthSize + offsetSize;
    if (lengthSize === 0 || lengthSize > 6 || offsetSize === 0 || offsetSize > 6 || end > pairs.length) {
      throw damaged("a file of NTFS", "the list of its clusters makes no sense");
    }
    const raw = Buffer.from(pairs.buffer, pairs.byteOffset, pairs.length);
    const count = raw.readUIntLE(at + 1, lengthSize);
    cluster += raw.readIntLE(at + 1 + lengthSize, offsetSize);
    if (count === 0 || cluster < 0 || cluster + count > clusterCount) {
      throw damaged("a file of NTFS", `its clusters ${cluster} to ${cluster + count} are not in the volume`);
    }
    yield { cluster, count };
    at = end;
  }
}
