import { isUtf8 } from "node:buffer";
import { messageLimits } from "./limits.ts";

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const space = 0x20;
const tab = 0x09;
const colon = 0x3a;

/** Where a header field is: its name in lower case, its value from after the colon to before its last line end. */
export interface RawField {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

export interface RawHeader {
  /** After the empty line, or where the header was broken off. */
  readonly end: number;
  readonly fields: readonly RawField[];
  /** Whether the empty line was found. */
  readonly isEnded: boolean;
}

/**
 * Reads a header from `start` (RFC 5322 §2.2). Only fields for which `isWanted` holds are kept; it is given names in
 * lower case. `isEnd` says for a line that begins with `--` whether it ends the part, so that no header is left without
 * an end. Lines that are no field are passed over.
 */
export function readHeader(
  bytes: Buffer,
  start: number,
  isWanted: (name: string) => boolean,
  isEnd: (lineStart: number) => boolean = () => false,
): RawHeader {
  const fields: RawField[] = [];
  const fieldsEnd = start + messageLimits.headerBytes;
  let open: { readonly name: string; readonly from: number } | undefined;
  let at = start;
  const close = (): void => {
    if (open !== undefined) fields.push({ ...open, to: beforeLineEnd(bytes, at, open.from) });
    open = undefined;
  };
  while (at < bytes.length) {
    const first = bytes[at];
    const found = bytes.indexOf(lineFeed, at);
    const next = found === -1 ? bytes.length : found + 1;
    if (first === lineFeed || (first === carriageReturn && next === at + 2)) {
      close();
      return { end: next, fields, isEnded: true };
    }
    if (first === 0x2d && bytes[at + 1] === 0x2d && isEnd(at)) break;
    if (first !== space && first !== tab) {
      close();
      if (at < fieldsEnd) open = fieldAt(bytes, at, next, isWanted);
    }
    at = next;
  }
  close();
  return { end: at, fields, isEnded: false };
}

/** Names are seldom longer, and no longer one is asked for by us. */
const nameBytes = 80;

function fieldAt(
  bytes: Buffer,
  at: number,
  lineEnd: number,
  isWanted: (name: string) => boolean,
): { readonly name: string; readonly from: number } | undefined {
  const limit = Math.min(lineEnd, at + nameBytes);
  let end = at;
  while (end < limit && bytes[end] !== colon) end++;
  if (end === limit) return undefined;
  const from = end + 1;
  // Obsolete syntax allows white space before the colon (RFC 5322 §4.5).
  while (end > at && (bytes[end - 1] === space || bytes[end - 1] === tab)) end--;
  const name = bytes.toString("latin1", at, end).toLowerCase();
  return isWanted(name) ? { name, from } : undefined;
}

function beforeLineEnd(bytes: Buffer, end: number, from: number): number {
  let to = end;
  if (to > from && bytes[to - 1] === lineFeed) to--;
  if (to > from && bytes[to - 1] === carriageReturn) to--;
  return to;
}

/** The value of a field, unfolded and trimmed (RFC 5322 §2.2.3), cut at its limit. */
export function fieldText(bytes: Buffer, field: RawField): string {
  const to = Math.min(field.to, field.from + messageLimits.fieldBytes);
  const raw = textOfBytes(bytes, field.from, to < field.to ? beforeHalfCharacter(bytes, field.from, to) : to);
  const unfolded = raw.includes("\n") ? raw.replaceAll("\r\n", "").replaceAll("\n", "") : raw;
  const whole = unfolded.includes("\0") ? unfolded.replaceAll("\0", "\ufffd") : unfolded;
  return trimBlanks(whole);
}

/** UTF-8 as it should be (RFC 6532), else what old programs wrote without saying so. */
export function textOfBytes(bytes: Buffer, from = 0, to = bytes.length): string {
  const text = bytes.toString("utf8", from, to);
  if (!text.includes("\ufffd")) return text;
  const slice = bytes.subarray(from, to);
  return isUtf8(slice) ? text : new TextDecoder("windows-1252").decode(slice);
}

/** `to`, or where the character of UTF-8 begins that an end there would cut in two. */
export function beforeHalfCharacter(bytes: Buffer, from: number, to: number): number {
  for (let at = to - 1; at >= from && at >= to - 3; at--) {
    const byte = bytes[at] ?? 0;
    if (byte >= 0xc0) return at;
    if (byte < 0x80) break;
  }
  return to;
}

/** Without blanks at both ends. Other white space is left: it may be half of a character of an old charset. */
export function trimBlanks(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && isBlank(text.charCodeAt(from))) from++;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--;
  return text.slice(from, to);
}

export function isBlank(code: number): boolean {
  return code === space || code === tab || code === carriageReturn || code === lineFeed;
}
