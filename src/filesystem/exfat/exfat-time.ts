import type { Timestamp } from "../../tree/index.ts";
import { decodeTime, encodeTime } from "../dos-time.ts";
import type { FileEntryRecord } from "./records.ts";

/** Of an offset from UTC: it is one. The other bits are quarters of an hour, with sign (§7.4.10). */
const offsetIsValid = 0x80;
const quarterSeconds = 15 * 60;

/** A time of an entry (§7.4.8); `offset` says how far it is from UTC, where it does. */
export function decodeStamp(stamp: number, hundredths: number, offset: number): Timestamp | undefined {
  const time = decodeTime({ date: stamp >>> 16, time: stamp & 0xffff, hundredths });
  if (time === undefined || (offset & offsetIsValid) === 0) return time;
  const quarters = ((offset & 0x7f) ^ 0x40) - 0x40;
  return { ...time, seconds: time.seconds - quarters * quarterSeconds };
}

type Times = Pick<
  FileEntryRecord,
  | "created"
  | "createdHundredths"
  | "createdOffset"
  | "modified"
  | "modifiedHundredths"
  | "modifiedOffset"
  | "accessed"
  | "accessedOffset"
>;

export function modifiedAt(time: Timestamp): Pick<Times, "modified" | "modifiedHundredths" | "modifiedOffset"> {
  const { stamp, hundredths } = stampOf(time);
  return { modified: stamp, modifiedHundredths: hundredths, modifiedOffset: offsetIsValid };
}

export function accessedAt(time: Timestamp): Pick<Times, "accessed" | "accessedOffset"> {
  return { accessed: stampOf(time).stamp, accessedOffset: offsetIsValid };
}

export function createdAt(time: Timestamp): Pick<Times, "created" | "createdHundredths" | "createdOffset"> {
  const { stamp, hundredths } = stampOf(time);
  return { created: stamp, createdHundredths: hundredths, createdOffset: offsetIsValid };
}

function stampOf(wanted: Timestamp): { readonly stamp: number; readonly hundredths: number } {
  const { date, time, hundredths } = encodeTime(wanted);
  return { stamp: ((date << 16) | time) >>> 0, hundredths };
}
