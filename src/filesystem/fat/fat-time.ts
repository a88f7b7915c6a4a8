import type { Timestamp } from "../../tree/index.ts";
import { encodeTime } from "../dos-time.ts";
import type { ShortEntry } from "./directory-entry.ts";

/** All times of a new entry. */
export function timesOf(
  now: Timestamp,
): Pick<
  ShortEntry,
  "createdDate" | "createdTime" | "createdHundredths" | "accessedDate" | "modifiedDate" | "modifiedTime"
> {
  const { date, time, hundredths } = encodeTime(now);
  return {
    createdDate: date,
    createdTime: time,
    createdHundredths: hundredths,
    accessedDate: date,
    modifiedDate: date,
    modifiedTime: time,
  };
}
