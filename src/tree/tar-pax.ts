import { Failure } from "../base/index.ts";
import { decodeName, encodeName } from "../bytes/index.ts";
import type { Timestamp } from "./entry.ts";

/** What pax records say about a file (POSIX.1-2017, "pax Extended Header"), with the words of GNU, star and libarchive. */
export interface PaxFields {
  path?: string;
  linkPath?: string;
  sizeBytes?: number;
  uid?: number;
  gid?: number;
  modified?: Timestamp;
  accessed?: Timestamp;
  changed?: Timestamp;
  created?: Timestamp;
  deviceMajor?: number;
  deviceMinor?: number;
  /** Full names, in the kernel's form. */
  xattrs?: Map<string, Uint8Array>;
  /** ACLs as text, whose names are still to be resolved. */
  accessAcl?: string;
  defaultAcl?: string;
  sparse?: PaxSparse;
}

/** GNU's three ways to say which stretches of a file are stored. */
export interface PaxSparse {
  major: number;
  minor: number;
  realSizeBytes?: number;
  name?: string;
  /** Offsets and lengths by turns (0.0 and 0.1; with 1.0 they stand before the content). */
  map?: number[];
}

const newline = 0x0a;
const equalsSign = 0x3d;
const space = 0x20;
const lengthDigitLimit = 10;

/** Reads records `<length> <key>=<value>\n` into `fields`; later ones replace earlier ones, an empty value removes. */
export function decodePax(bytes: Buffer, start: number, end: number, fields: PaxFields): void {
  for (let at = start; at < end;) {
    let length = 0;
    let n = at;
    for (; n < end && n - at <= lengthDigitLimit; n++) {
      const digit = (bytes[n] as number) - 0x30;
      if (digit < 0 || digit > 9) break;
      length = length * 10 + digit;
    }
    const recordEnd = at + length;
    if (bytes[n] !== space || recordEnd > end || recordEnd <= n + 1 || bytes[recordEnd - 1] !== newline) {
      throw damaged("a pax record has a wrong length");
    }
    const equals = bytes.indexOf(equalsSign, n);
    if (equals < 0 || equals >= recordEnd - 1) throw damaged("a pax record has no =");
    const key = bytes.toString("latin1", n + 1, equals);
    apply(fields, key, bytes.subarray(equals + 1, recordEnd - 1));
    at = recordEnd;
  }
}

type Apply = (fields: PaxFields, value: Buffer) => void;

const appliers: Readonly<Record<string, Apply>> = {
  path: (fields, value) => (fields.path = decodeName(value)),
  linkpath: (fields, value) => (fields.linkPath = decodeName(value)),
  size: (fields, value) => (fields.sizeBytes = count(value)),
  uid: (fields, value) => (fields.uid = count(value)),
  gid: (fields, value) => (fields.gid = count(value)),
  mtime: (fields, value) => (fields.modified = decodeTime(value)),
  atime: (fields, value) => (fields.accessed = decodeTime(value)),
  ctime: (fields, value) => (fields.changed = decodeTime(value)),
  "LIBARCHIVE.creationtime": (fields, value) => (fields.created = decodeTime(value)),
  "SCHILY.devmajor": (fields, value) => (fields.deviceMajor = count(value)),
  "SCHILY.devminor": (fields, value) => (fields.deviceMinor = count(value)),
  "SCHILY.acl.access": (fields, value) => (fields.accessAcl = decodeName(value)),
  "SCHILY.acl.default": (fields, value) => (fields.defaultAcl = decodeName(value)),
  // The kernel keeps the label with its NUL.
  "RHT.security.selinux": (fields, value) => xattrsOf(fields).set("security.selinux", terminated(value)),
  "GNU.sparse.major": (fields, value) => (sparseOf(fields).major = count(value)),
  "GNU.sparse.minor": (fields, value) => (sparseOf(fields).minor = count(value)),
  "GNU.sparse.name": (fields, value) => (sparseOf(fields).name = decodeName(value)),
  "GNU.sparse.size": (fields, value) => (sparseOf(fields).realSizeBytes = count(value)),
  "GNU.sparse.realsize": (fields, value) => (sparseOf(fields).realSizeBytes = count(value)),
  "GNU.sparse.offset": (fields, value) => mapOf(fields).push(count(value)),
  "GNU.sparse.numbytes": (fields, value) => mapOf(fields).push(count(value)),
  "GNU.sparse.map": (fields, value) => (sparseOf(fields).map = value.toString("latin1").split(",").map(countOf)),
};

const removable: Readonly<Record<string, keyof PaxFields>> = {
  path: "path",
  linkpath: "linkPath",
  size: "sizeBytes",
  uid: "uid",
  gid: "gid",
  mtime: "modified",
  atime: "accessed",
  ctime: "changed",
  "SCHILY.acl.access": "accessAcl",
  "SCHILY.acl.default": "defaultAcl",
};

const schilyXattr = "SCHILY.xattr.";
const libarchiveXattr = "LIBARCHIVE.xattr.";

function apply(fields: PaxFields, key: string, value: Buffer): void {
  if (value.length === 0) {
    const field = Object.hasOwn(removable, key) ? removable[key] : undefined;
    if (field !== undefined) delete fields[field];
    else if (key.startsWith(schilyXattr)) setSchilyXattr(fields, key, value);
    return;
  }
  if (Object.hasOwn(appliers, key)) appliers[key]?.(fields, value);
  else if (key.startsWith(schilyXattr)) setSchilyXattr(fields, key, value);
  else if (key.startsWith(libarchiveXattr)) setLibarchiveXattr(fields, key, value);
}

/** GNU tar writes `%` and `=` in the name of an attribute as `%25` and `%3D`. */
function setSchilyXattr(fields: PaxFields, key: string, value: Buffer): void {
  const raw = key.slice(schilyXattr.length).replaceAll("%3D", "=").replaceAll("%25", "%");
  if (raw === "") throw damaged("an extended attribute has no name");
  xattrsOf(fields).set(decodeName(Buffer.from(raw, "latin1")), Uint8Array.from(value));
}

/** libarchive: the name in URL encoding, the value in base 64. */
function setLibarchiveXattr(fields: PaxFields, key: string, value: Buffer): void {
  const raw = key.slice(libarchiveXattr.length).replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => {
    return String.fromCharCode(Number.parseInt(hex, 16));
  });
  if (raw === "") throw damaged("an extended attribute has no name");
  const decoded = Buffer.from(value.toString("latin1"), "base64");
  xattrsOf(fields).set(decodeName(Buffer.from(raw, "latin1")), Uint8Array.from(decoded));
}

function xattrsOf(fields: PaxFields): Map<string, Uint8Array> {
  return (fields.xattrs ??= new Map());
}

function sparseOf(fields: PaxFields): PaxSparse {
  return (fields.sparse ??= { major: 0, minor: 0 });
}

function mapOf(fields: PaxFields): number[] {
  return (sparseOf(fields).map ??= []);
}

function terminated(value: Buffer): Uint8Array {
  return value.at(-1) === 0 ? Uint8Array.from(value) : Uint8Array.from([...value, 0]);
}

function count(value: Buffer): number {
  return countOf(value.toString("latin1"));
}

function countOf(text: string): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw damaged("a pax record holds no number where one belongs");
  return value;
}

function decodeTime(value: Buffer): Timestamp {
  const match = /^(-?)(\d{1,15})(?:\.(\d*))?$/.exec(value.toString("latin1"));
  if (match === null) throw damaged("a pax record holds no time where one belongs");
  const seconds = Number(match[2]);
  const nanoseconds = Number((match[3] ?? "").slice(0, 9).padEnd(9, "0"));
  if (match[1] === "") return { seconds, nanoseconds };
  if (nanoseconds === 0) return { seconds: seconds === 0 ? 0 : -seconds, nanoseconds: 0 };
  return { seconds: -seconds - 1, nanoseconds: 1_000_000_000 - nanoseconds };
}

/** A time as pax writes it: a decimal number. */
export function encodePaxTime({ seconds, nanoseconds }: Timestamp): string {
  if (nanoseconds === 0) return String(seconds);
  const isNegative = seconds < 0;
  const whole = isNegative ? -seconds - 1 : seconds;
  const fraction = isNegative ? 1_000_000_000 - nanoseconds : nanoseconds;
  return `${isNegative ? "-" : ""}${whole}.${String(fraction).padStart(9, "0").replace(/0+$/, "")}`;
}

/** One record; the length at its front counts itself. */
export function encodePaxRecord(key: string, value: string | Uint8Array): Buffer {
  const keyBytes = encodeName(key);
  const valueBytes = typeof value === "string" ? encodeName(value) : value;
  const rest = keyBytes.length + valueBytes.length + 3;
  let length = rest + String(rest).length;
  if (rest + String(length).length !== length) length++;
  const head = Buffer.from(`${length} `, "latin1");
  const sign = Buffer.of(equalsSign);
  return Buffer.concat([head, keyBytes, sign, valueBytes, Buffer.of(newline)], length);
}

/** The key of an extended attribute, in the way GNU tar reads it. */
export function paxXattrKey(name: string): string {
  return schilyXattr + name.replaceAll("%", "%25").replaceAll("=", "%3D");
}

function damaged(what: string): Failure {
  return new Failure("damaged", what);
}
