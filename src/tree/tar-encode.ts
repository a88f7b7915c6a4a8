import { encodeName } from "../bytes/index.ts";
import type { Timestamp } from "./entry.ts";
import { tarBlockBytes } from "./tar-header.ts";
import { encodePaxRecord, encodePaxTime } from "./tar-pax.ts";

/** What goes into a header and, where it does not fit there, into pax records in front of it. */
export interface MemberHeader {
  /** Folders end with `/`. */
  readonly path: string;
  readonly type: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** What is stored, the map of holes included. */
  readonly sizeBytes: number;
  readonly modified: Timestamp;
  readonly linkName?: string;
  readonly device?: { readonly major: number; readonly minor: number };
}

const nameBytes = 100;
const prefixBytes = 155;
const idLimit = 0o7777777;
const sizeLimit = 0o77777777777;

// Where the fields are: see the reader's table in tar-header.ts.
const modeAt = 100;
const uidAt = 108;
const gidAt = 116;
const sizeAt = 124;
const timeAt = 136;
const checksumAt = 148;
const typeAt = 156;
const linkAt = 157;
const magicAt = 257;
const majorAt = 329;
const minorAt = 337;
const prefixAt = 345;

/** The blocks of a member up to its content: pax records where they are needed, then the ustar header. */
export function encodeMember(header: MemberHeader, more: readonly Buffer[] = []): Buffer {
  const block = Buffer.alloc(tarBlockBytes);
  const records: Buffer[] = [];
  const path = encodeName(header.path);
  if (!putPath(block, path)) {
    path.copy(block, 0, 0, nameBytes);
    records.push(...nameRecord("path", header.path));
  }
  const link = encodeName(header.linkName ?? "");
  link.copy(block, linkAt, 0, nameBytes);
  if (link.length > nameBytes) records.push(...nameRecord("linkpath", header.linkName ?? ""));
  putOctal(block, modeAt, 7, header.mode);
  putOctal(block, uidAt, 7, limited(header.uid, idLimit, "uid", records));
  putOctal(block, gidAt, 7, limited(header.gid, idLimit, "gid", records));
  putOctal(block, sizeAt, 11, limited(header.sizeBytes, sizeLimit, "size", records));
  const { seconds, nanoseconds } = header.modified;
  const fits = nanoseconds === 0 && seconds >= 0 && seconds <= sizeLimit;
  if (!fits) records.push(encodePaxRecord("mtime", encodePaxTime(header.modified)));
  putOctal(block, timeAt, 11, Math.min(Math.max(seconds, 0), sizeLimit));
  if (header.device !== undefined) {
    putOctal(block, majorAt, 7, header.device.major);
    putOctal(block, minorAt, 7, header.device.minor);
  }
  seal(block, header.type);
  return records.length + more.length === 0 ? block : Buffer.concat([paxMember([...records, ...more], path), block]);
}

/** The header of the records of a member, and they. It says nothing of now or here, so that it is always the same. */
function paxMember(records: readonly Buffer[], path: Buffer): Buffer {
  const lengthBytes = records.reduce((sum, record) => sum + record.length, 0);
  const bytes = Buffer.alloc(tarBlockBytes * (1 + Math.ceil(lengthBytes / tarBlockBytes)));
  const block = bytes.subarray(0, tarBlockBytes);
  const ending = path.at(-1) === 0x2f ? path.subarray(0, -1) : path;
  const name = Buffer.concat([Buffer.from("PaxHeaders/"), ending.subarray(ending.lastIndexOf(0x2f) + 1)]);
  name.copy(block, 0, 0, nameBytes);
  putOctal(block, modeAt, 7, 0o644);
  putOctal(block, uidAt, 7, 0);
  putOctal(block, gidAt, 7, 0);
  putOctal(block, sizeAt, 11, lengthBytes);
  putOctal(block, timeAt, 11, 0);
  seal(block, "x");
  let at = tarBlockBytes;
  for (const record of records) at += record.copy(bytes, at);
  return bytes;
}

/** Names whose bytes are no UTF-8 are marked as such (pax, `hdrcharset`). */
function nameRecord(key: string, name: string): Buffer[] {
  const record = encodePaxRecord(key, name);
  return name.isWellFormed() ? [record] : [encodePaxRecord("hdrcharset", "BINARY"), record];
}

/** In the name's 100 bytes, or parted at a `/` into those and the prefix's 155; false where neither will do. */
function putPath(block: Buffer, path: Buffer): boolean {
  if (path.length <= nameBytes) {
    path.copy(block, 0);
    return true;
  }
  const slash = path.indexOf(0x2f, path.length - nameBytes - 1);
  if (slash <= 0 || slash > prefixBytes || slash === path.length - 1) return false;
  path.copy(block, prefixAt, 0, slash);
  path.copy(block, 0, slash + 1);
  return true;
}

/** The number where the header has room for it; else 0 there, and a record. */
function limited(value: number, limit: number, key: string, records: Buffer[]): number {
  if (value <= limit) return value;
  records.push(encodePaxRecord(key, String(value)));
  return 0;
}

/** Octal digits and a NUL; GNU's base 256 for a device number that takes more. */
function putOctal(block: Buffer, at: number, digits: number, value: number): void {
  const octal = value.toString(8);
  if (octal.length <= digits) {
    block.write(octal.padStart(digits, "0"), at, "latin1");
    return;
  }
  block[at] = 0x80;
  block.writeUIntBE(value, at + digits - 5, 6);
}

function seal(block: Buffer, type: string): void {
  block.write(type, typeAt, "latin1");
  block.write("ustar\u000000", magicAt, "latin1");
  let sum = 8 * 0x20;
  for (const byte of block) sum += byte;
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, checksumAt, "latin1");
}
