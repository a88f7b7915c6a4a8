import { Failure } from "../base/index.ts";
import { decodeName } from "../bytes/index.ts";
import type { Timestamp } from "./entry.ts";

/** The unit of a tar: a header is one block, content is filled up to whole ones. */
export const tarBlockBytes = 512;

/** What a header block says, POSIX.1-1988 "ustar" with the older form and GNU's. Numbers are checked, names are raw. */
export interface TarHeader {
  readonly name: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
  readonly modifiedSeconds: number;
  /** The character of the type flag; `"0"` for NUL. */
  readonly type: string;
  readonly linkName: string;
  readonly isGnu: boolean;
}

// Where the fields are (POSIX.1-2017, pax, "ustar Interchange Format").
const nameAt = 0;
const nameEnd = 100;
const modeAt = 100;
const uidAt = 108;
const gidAt = 116;
const sizeAt = 124;
const timeAt = 136;
const checksumAt = 148;
const checksumEnd = 156;
const typeAt = 156;
const linkAt = 157;
const linkEnd = 257;
const magicAt = 257;
const majorAt = 329;
const minorAt = 337;
const prefixAt = 345;
const prefixEnd = 500;
const gnuAccessedAt = 345;
const gnuChangedAt = 357;

const noWords = new Int32Array(0);
let lastWords: Int32Array = noWords;

/** True for a block of nothing but zeros, two of which end a tar. */
export function isZeroBlock(bytes: Buffer, at: number): boolean {
  if (bytes[at] !== 0) return false;
  for (let n = at + 1; n < at + tarBlockBytes; n++) if (bytes[n] !== 0) return false;
  return true;
}

/** True if the sum of the block's bytes is the one that it states. */
export function hasRightChecksum(bytes: Buffer, at: number): boolean {
  const stated = tryNumber(bytes, at + checksumAt, 8);
  if (stated === undefined) return false;
  // The field itself counts as spaces.
  let sum = sumOfBlock(bytes, at) + 8 * 0x20;
  for (let n = at + checksumAt; n < at + checksumEnd; n++) sum -= bytes[n] as number;
  return sum === stated || stated === signedSum(bytes, at);
}

/** Four bytes at a time, in two pairs of 16-bit lanes: 128 words cannot overflow them. */
function sumOfBlock(bytes: Buffer, at: number): number {
  const start = bytes.byteOffset + at;
  if (start % 4 !== 0) {
    let sum = 0;
    for (let n = at; n < at + tarBlockBytes; n++) sum += bytes[n] as number;
    return sum;
  }
  if (lastWords.buffer !== bytes.buffer) lastWords = new Int32Array(bytes.buffer, 0, bytes.buffer.byteLength >>> 2);
  const words = lastWords;
  let even = 0;
  let odd = 0;
  for (let n = start >>> 2, end = n + tarBlockBytes / 4; n < end; n++) {
    const word = words[n] as number;
    even += word & 0x00ff00ff;
    odd += (word >>> 8) & 0x00ff00ff;
  }
  return (even & 0xffff) + (even >>> 16) + (odd & 0xffff) + (odd >>> 16);
}

/** Some old programs took bytes for signed ones. */
function signedSum(bytes: Buffer, at: number): number {
  let sum = 8 * 0x20;
  for (let n = at; n < at + tarBlockBytes; n++) {
    if (n < at + checksumAt || n >= at + checksumEnd) sum += ((bytes[n] as number) << 24) >> 24;
  }
  return sum;
}

/** The fields of a header block, whose checksum has been found right. */
export function decodeTarHeader(bytes: Buffer, at: number): TarHeader {
  const isUstar = bytes[at + magicAt] === 0x75 && bytes.toString("latin1", at + magicAt, at + magicAt + 5) === "ustar";
  const isGnu = isUstar && bytes[at + magicAt + 5] === 0x20;
  const flag = bytes[at + typeAt] as number;
  let name = text(bytes, at + nameAt, at + nameEnd);
  if (isUstar && !isGnu && bytes[at + prefixAt] !== 0) name = `${text(bytes, at + prefixAt, at + prefixEnd)}/${name}`;
  return {
    name,
    mode: number(bytes, at + modeAt, 8, "mode") & 0o7777,
    uid: number(bytes, at + uidAt, 8, "owner"),
    gid: number(bytes, at + gidAt, 8, "group"),
    sizeBytes: number(bytes, at + sizeAt, 12, "size"),
    modifiedSeconds: number(bytes, at + timeAt, 12, "time"),
    type: flag === 0 ? "0" : String.fromCharCode(flag),
    linkName: bytes[at + linkAt] === 0 ? "" : text(bytes, at + linkAt, at + linkEnd),
    isGnu,
  };
}

/** The numbers of a device, which only the headers of devices are sure to hold. */
export function decodeTarDevice(bytes: Buffer, at: number): { readonly major: number; readonly minor: number } {
  return { major: number(bytes, at + majorAt, 8, "device"), minor: number(bytes, at + minorAt, 8, "device") };
}

/** The further times that GNU's own form has room for. */
export function decodeGnuTimes(bytes: Buffer, at: number): { accessed?: Timestamp; changed?: Timestamp } {
  const times: { accessed?: Timestamp; changed?: Timestamp } = {};
  if (bytes[at + gnuAccessedAt] !== 0) times.accessed = wholeSeconds(number(bytes, at + gnuAccessedAt, 12, "time"));
  if (bytes[at + gnuChangedAt] !== 0) times.changed = wholeSeconds(number(bytes, at + gnuChangedAt, 12, "time"));
  return times;
}

function wholeSeconds(seconds: number): Timestamp {
  return { seconds, nanoseconds: 0 };
}

/** Text up to a NUL or the end of its field. */
export function text(bytes: Buffer, start: number, limit: number): string {
  let bits = 0;
  let end = start;
  for (; end < limit; end++) {
    const byte = bytes[end] as number;
    if (byte === 0) break;
    bits |= byte;
  }
  return bits < 0x80 ? bytes.toString("latin1", start, end) : decodeName(bytes, start, end);
}

/** A number in octal digits or in GNU's base 256. */
export function number(bytes: Buffer, at: number, lengthBytes: number, what: string): number {
  const value = tryNumber(bytes, at, lengthBytes);
  if (value === undefined) throw new Failure("damaged", `its ${what} is not a number`);
  return value;
}

function tryNumber(bytes: Buffer, at: number, lengthBytes: number): number | undefined {
  const first = bytes[at] as number;
  if (first >= 0x80) return base256(bytes, at, lengthBytes);
  const end = at + lengthBytes;
  let n = at;
  while (n < end && (bytes[n] === 0x20 || bytes[n] === 0)) n++;
  let value = 0;
  for (; n < end; n++) {
    const digit = (bytes[n] as number) - 0x30;
    if (digit < 0 || digit > 7) break;
    value = value * 8 + digit;
  }
  for (; n < end; n++) if (bytes[n] !== 0x20 && bytes[n] !== 0) return undefined;
  return value;
}

/** A big-endian number whose first byte is 0x80, or a negative one in two's complement whose first is 0xff. */
function base256(bytes: Buffer, at: number, lengthBytes: number): number | undefined {
  const first = bytes[at] as number;
  if (first !== 0x80 && first !== 0xff) return undefined;
  const flip = first === 0xff ? 0xff : 0;
  let value = 0;
  for (let n = at + 1; n < at + lengthBytes; n++) value = value * 256 + ((bytes[n] as number) ^ flip);
  const signed = flip === 0 ? value : -value - 1;
  return Number.isSafeInteger(signed) ? signed : undefined;
}

/** What the fields of a header have room for. */
export const tarFieldLimits = {
  nameBytes: nameEnd - nameAt,
  id: 0o7777777,
  sizeBytes: 0o77777777777,
  seconds: 0o77777777777,
} as const;

/** How much room content of this length takes in a tar. */
export function paddedTarBytes(sizeBytes: number): number {
  return Math.ceil(sizeBytes / tarBlockBytes) * tarBlockBytes;
}

/** A ustar header block. Names that are too long are cut: a pax record has them whole. */
export function encodeTarHeader(fields: {
  readonly path: Uint8Array;
  readonly type: string;
  readonly linkTarget?: Uint8Array;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly sizeBytes?: number;
  readonly modifiedSeconds?: number;
  readonly device?: { readonly major: number; readonly minor: number };
}): Buffer {
  const block = Buffer.alloc(tarBlockBytes);
  block.set(fields.path.subarray(0, nameEnd - nameAt), nameAt);
  block.set((fields.linkTarget ?? new Uint8Array(0)).subarray(0, linkEnd - linkAt), linkAt);
  writeOctal(block, modeAt, 8, fields.mode ?? 0);
  writeOctal(block, uidAt, 8, fields.uid ?? 0);
  writeOctal(block, gidAt, 8, fields.gid ?? 0);
  writeOctal(block, sizeAt, 12, Math.min(fields.sizeBytes ?? 0, tarFieldLimits.sizeBytes));
  writeOctal(block, timeAt, 12, fields.modifiedSeconds ?? 0);
  block.write(fields.type, typeAt, "latin1");
  block.write("ustar\u000000", magicAt, "latin1");
  writeOctal(block, majorAt, 8, fields.device?.major ?? 0);
  writeOctal(block, minorAt, 8, fields.device?.minor ?? 0);
  block.fill(0x20, checksumAt, checksumEnd);
  const checksum = sumOfBlock(block, 0);
  block.write(`${checksum.toString(8).padStart(6, "0")}\0 `, checksumAt, "latin1");
  return block;
}

/** Octal digits, filled up with zeros and ended by NUL. */
function writeOctal(block: Buffer, at: number, lengthBytes: number, value: number): void {
  block.write(`${value.toString(8).padStart(lengthBytes - 1, "0")}\0`, at, "latin1");
}
