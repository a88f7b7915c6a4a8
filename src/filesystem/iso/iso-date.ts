import type { Timestamp } from "../../tree/index.ts";

/** Years since 1900, month, day, hour, minute, second, quarters of an hour from Greenwich. */
export const shortDateBytes = 7;
/** The same as digits, with hundredths, and the zone as a number. */
export const longDateBytes = 17;

/** The zone may be 12 hours west to 13 hours east; what lies beyond is left out of account, as Linux does. */
const zoneLimit = 52;
const epoch: Timestamp = { seconds: 0, nanoseconds: 0 };

/** A date of 7 bytes (ECMA-119 §9.1.5); one that is not filled in is the start of 1970. */
export function decodeShortDate(bytes: Uint8Array, at = 0): Timestamp {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, zone = 0] = bytes.subarray(at);
  if (month === 0) return epoch;
  return { seconds: secondsOf([1900 + year, month, day, hour, minute, second], zone), nanoseconds: 0 };
}

/** A date of 17 bytes (ECMA-119 §8.4.26.1), or undefined where it is not filled in. */
export function decodeLongDate(bytes: Uint8Array, at = 0): Timestamp | undefined {
  const digits = dateDigits(bytes, at);
  if (digits === undefined) return undefined;
  const number = (from: number, length: number): number => Number(digits.slice(from, from + length));
  const parts = [number(0, 4), number(4, 2), number(6, 2), number(8, 2), number(10, 2), number(12, 2)] as const;
  return { seconds: secondsOf(parts, bytes[at + 16] ?? 0), nanoseconds: number(14, 2) * 10_000_000 };
}

/** `2024-05-17-09-30-00-00`, by which blkid knows a volume; undefined where the date is not filled in. */
export function dateAsUuid(bytes: Uint8Array): string | undefined {
  return dateDigits(bytes, 0)?.replace(/^(.{4})(..)(..)(..)(..)(..)(..)$/, "$1-$2-$3-$4-$5-$6-$7");
}

function dateDigits(bytes: Uint8Array, at: number): string | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + at, 16).toString("latin1");
  return /^\d{16}$/.test(text) && /[1-9]/.test(text) ? text : undefined;
}

type DateParts = readonly [year: number, month: number, day: number, hour: number, minute: number, second: number];

function secondsOf([year, month, day, hour, minute, second]: DateParts, zoneByte: number): number {
  const date = new Date(Date.UTC(2000, month - 1, day, hour, minute, second));
  date.setUTCFullYear(date.getUTCFullYear() - 2000 + year);
  const quarters = (zoneByte << 24) >> 24;
  return date.getTime() / 1000 - (Math.abs(quarters) <= zoneLimit ? quarters * 15 * 60 : 0);
}
