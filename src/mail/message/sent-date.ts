import { Tokens } from "./tokens.ts";

/** When a message says that it was written. */
export interface SentDate {
  /** Milliseconds since 1970. */
  readonly ms: number;
  /** East of Greenwich: what is to be added to have the time where it was written. */
  readonly zoneMinutes: number;
}

const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/** RFC 5322 §4.3; military zones are taken as `-0000`, since they were written wrongly so often. */
const zonesByName: ReadonlyMap<string, number> = new Map([
  ["ut", 0],
  ["gmt", 0],
  ["utc", 0],
  ["edt", -4],
  ["est", -5],
  ["cdt", -5],
  ["cst", -6],
  ["mdt", -6],
  ["mst", -7],
  ["pdt", -7],
  ["pst", -8],
]);

const dateTime =
  /^(?:[a-z]+\.?\s*,?\s*)?(\d{1,2})[\s-]+([a-z]{3})[a-z]*\.?[\s-]+(\d{2,4})(?:[\s,]+(\d{1,2})\s*:\s*(\d{1,2})(?:\s*:\s*(\d{1,2})(?:\.\d+)?)?(?:\s*([+-]\d{4}|[a-z]+))?)?/i;

/** The day, and the C form of dates (`Fri Nov 21 09:55:06 1997`) that old programs wrote. */
const ctime =
  /^[a-z]{3,9},?\s+([a-z]{3})[a-z]*\s+(\d{1,2})\s+(\d{1,2}):(\d{2})(?::(\d{2}))?(?:\s+([+-]\d{4}|[a-z]+))?\s+(\d{4})(?:\s+([+-]\d{4}))?/i;

/** No date is longer, comments and all. */
const longestDate = 200;

/** Reads `Date:` (RFC 5322 §3.3 and §4.3), forgiving what was met in mail; undefined where it is no date. */
export function parseSentDate(text: string | undefined): SentDate | undefined {
  if (text === undefined) return undefined;
  const plain = withoutComments(text.slice(0, longestDate));
  const usual = dateTime.exec(plain);
  if (usual !== null) {
    const [, day, month, year, hour, minute, second, zone] = usual;
    return dateOf({ day, month, year, hour, minute, second, zone });
  }
  const old = ctime.exec(plain);
  if (old === null) return undefined;
  const [, month, day, hour, minute, second, zoneBefore, year, zoneAfter] = old;
  return dateOf({ day, month, year, hour, minute, second, zone: zoneAfter ?? zoneBefore });
}

type Field = string | undefined;

function dateOf(
  fields: Readonly<Record<"day" | "month" | "year" | "hour" | "minute" | "second" | "zone", Field>>,
): SentDate | undefined {
  const month = months.indexOf((fields.month ?? "").toLowerCase());
  const day = Number(fields.day);
  const hour = Number(fields.hour ?? 0);
  const minute = Number(fields.minute ?? 0);
  const second = Number(fields.second ?? 0);
  if (month === -1 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60) return undefined;
  const zoneMinutes = zoneOf(fields.zone);
  const localMs = Date.UTC(wholeYear(fields.year ?? ""), month, day, hour, minute, second);
  return { ms: localMs - zoneMinutes * 60_000, zoneMinutes };
}

/** RFC 5322 §4.3: two digits up to 49 are of this century; three count from 1900. */
function wholeYear(digits: string): number {
  const year = Number(digits);
  if (digits.length === 2) return year < 50 ? 2000 + year : 1900 + year;
  return digits.length === 3 ? 1900 + year : year;
}

function zoneOf(zone: Field): number {
  if (zone === undefined) return 0;
  const number = /^([+-])(\d\d)(\d\d)$/.exec(zone);
  if (number === null) return (zonesByName.get(zone.toLowerCase()) ?? 0) * 60;
  const minutes = Number(number[2]) * 60 + Number(number[3]);
  return number[1] === "-" ? -minutes : minutes;
}

function withoutComments(text: string): string {
  if (!text.includes("(")) return text.trim();
  const tokens = new Tokens(text);
  let plain = "";
  while (!tokens.isAtEnd) {
    if (tokens.skipBlanks()) plain += " ";
    plain += tokens.readUntil("(");
  }
  return plain.trim();
}
