import { BadCommand } from "./bad-command.ts";
import type { Cursor } from "./cursor.ts";

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const dateTimePattern =
  /"( [0-9]|[0-9]{2})-([A-Za-z]{3})-([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) ([+-])([0-9]{2})([0-9]{2})"/y;

/** `"17-Jul-1996 02:44:25 -0700"` (RFC 9051 §9 date-time), as milliseconds since 1970. */
export function readDateTime(cursor: Cursor): number {
  const text = cursor.take(dateTimePattern);
  if (text === undefined) throw cursor.bad("a date");
  dateTimePattern.lastIndex = 0;
  const [, day, name = "", year, hour, minute, second, sign, zoneHours, zoneMinutes] = dateTimePattern.exec(text) ?? [];
  const month = months.findIndex((known) => known.toLowerCase() === name.toLowerCase());
  const local = Date.UTC(Number(year), month, Number(day), Number(hour), Number(minute), Number(second));
  const isDay = month !== -1 && new Date(local).getUTCDate() === Number(day);
  if (!isDay || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) {
    throw new BadCommand(`${text} is no date`);
  }
  const zoneMs = (Number(zoneHours) * 60 + Number(zoneMinutes)) * 60_000;
  return sign === "-" ? local + zoneMs : local - zoneMs;
}

/** As INTERNALDATE is sent: always UTC. */
export function dateTimeText(ms: number): string {
  const date = new Date(ms);
  const two = (value: number): string => (value < 10 ? `0${value}` : `${value}`);
  const day = date.getUTCDate();
  const year = String(date.getUTCFullYear()).padStart(4, "0");
  const time = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
  return `"${day < 10 ? " " : ""}${day}-${months[date.getUTCMonth()] ?? ""}-${year} ${time} +0000"`;
}
