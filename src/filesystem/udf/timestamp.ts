import type { Timestamp } from "../../tree/index.ts";
import { timestamp } from "./records.ts";

/** The zone is a day at most; this value says that none is given. */
const zoneLimitMinutes = 1440;

/** A point in time (ECMA-167 1/7.3); one that is not filled in is the start of 1970. */
export function decodeTimestamp(bytes: Uint8Array): Timestamp {
  const time = timestamp.decode(bytes);
  if (time.month === 0) return { seconds: 0, nanoseconds: 0 };
  const date = new Date(Date.UTC(2000, time.month - 1, time.day, time.hour, time.minute, time.second));
  date.setUTCFullYear(date.getUTCFullYear() - 2000 + ((time.year << 16) >> 16));
  const zoneMinutes = ((time.typeAndZone & 0xfff) << 20) >> 20;
  const isZoned = time.typeAndZone >>> 12 === 1 && Math.abs(zoneMinutes) <= zoneLimitMinutes;
  const microseconds = time.centiseconds * 10_000 + time.hundredMicroseconds * 100 + time.microseconds;
  return {
    seconds: date.getTime() / 1000 - (isZoned ? zoneMinutes * 60 : 0),
    nanoseconds: microseconds < 1_000_000 ? microseconds * 1000 : 0,
  };
}
