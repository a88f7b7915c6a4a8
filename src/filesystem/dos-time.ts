import type { Timestamp } from "../tree/index.ts";

/**
 * The times of directory entries of FAT ("FAT: General Overview" 1.03, p. 25) and exFAT (§7.4.8): local time on the
 * machine that wrote them. This program takes and writes them as UTC where nothing records the zone, so that the same
 * input gives the same bytes.
 */
export interface DosTime {
  readonly date: number;
  readonly time: number;
  /** Hundredths of a second, 0 to 199, beside the two seconds that `time` counts in. */
  readonly hundredths: number;
}

const firstYear = 1980;
const lastYear = firstYear + 0x7f;
const earliest = Date.UTC(firstYear, 0, 1) / 1000;
const latest = Date.UTC(lastYear, 11, 31, 23, 59, 58) / 1000;

/** The time as an entry holds it; what is earlier or later than FAT can say is the first or last that it can. */
export function encodeTime({ seconds, nanoseconds }: Timestamp): DosTime {
  const isInRange = seconds >= earliest && seconds <= latest;
  const date = new Date(Math.min(Math.max(seconds, earliest), latest) * 1000);
  const hundredths = isInRange ? Math.floor(nanoseconds / 1e7) : 0;
  return {
    date: ((date.getUTCFullYear() - firstYear) << 9) | ((date.getUTCMonth() + 1) << 5) | date.getUTCDate(),
    time: (date.getUTCHours() << 11) | (date.getUTCMinutes() << 5) | (date.getUTCSeconds() >> 1),
    hundredths: (date.getUTCSeconds() & 1) * 100 + hundredths,
  };
}

/** A time of an entry; a date of zero stands for none. */
export function decodeTime({ date, time, hundredths }: DosTime): Timestamp | undefined {
  if (date === 0) return undefined;
  const milliseconds = Date.UTC(
    firstYear + (date >> 9),
    Math.max(1, (date >> 5) & 0xf) - 1,
    Math.max(1, date & 0x1f),
    time >> 11,
    (time >> 5) & 0x3f,
    (time & 0x1f) * 2,
  );
  const extra = Math.min(hundredths, 199);
  return { seconds: milliseconds / 1000 + Math.floor(extra / 100), nanoseconds: (extra % 100) * 1e7 };
}
