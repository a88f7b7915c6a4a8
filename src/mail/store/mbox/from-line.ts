/** The line before each message of an mbox: who sent it, and when it was delivered. */
export interface FromLine {
  readonly sender: string;
  readonly receivedMs: number;
}

/** Longer ones are text. */
export const fromLineLimitBytes = 1000;

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

// asctime(3), seconds left out by some, a zone on either side of the year by others, more words after it by UUCP.
const zone = "(?: ([A-Z][A-Za-z]{0,4}|[+-]\\d{4}))?";
const pattern = new RegExp(
  `^From (.*?) *\\b(?:${days.join("|")}),? +(${months.join("|")}) +(\\d{1,2}) (\\d{1,2}):(\\d\\d)(?::(\\d\\d))?` +
    `${zone} (\\d{4})${zone}(?: remote from .*)?\\s*$`,
);

/**
 * What a From_ line says; undefined for text that begins with the same word. Dates without a zone are in local time,
 * as every program writes them.
 */
export function parseFromLine(line: string): FromLine | undefined {
  if (line.length > fromLineLimitBytes) return undefined;
  const match = pattern.exec(line);
  if (match === null) return undefined;
  const [, sender = "", monthName = "", day, hour, minute, second, zoneBefore, year, zoneAfter] = match;
  const parts = [Number(year), months.indexOf(monthName), Number(day), Number(hour), Number(minute)] as const;
  if (parts[2] < 1 || parts[2] > 31 || parts[3] > 23 || parts[4] > 59) return undefined;
  const offset = offsetMs(zoneAfter ?? zoneBefore);
  const receivedMs =
    offset === undefined
      ? new Date(...parts, Number(second ?? 0)).getTime()
      : Date.UTC(...parts, Number(second ?? 0)) - offset;
  return Number.isFinite(receivedMs) ? { sender, receivedMs } : undefined;
}

/** Of a zone in numbers, or GMT; names of others mean different things in different places, and are left out. */
function offsetMs(text: string | undefined): number | undefined {
  if (text === "GMT" || text === "UTC") return 0;
  const match = /^([+-])(\d\d)(\d\d)$/.exec(text ?? "");
  if (match === null) return undefined;
  const minutes = Number(match[2]) * 60 + Number(match[3]);
  return (match[1] === "-" ? -minutes : minutes) * 60_000;
}

/** As Debian's programs write it: asctime(3) in local time after two blanks, MAILER-DAEMON for the empty sender. */
export function formatFromLine({ sender, receivedMs }: FromLine): string {
  const date = new Date(receivedMs);
  const two = (value: number, fill: string): string => String(value).padStart(2, fill);
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map((value) => two(value, "0")).join(":");
  const named = [days[date.getDay()], months[date.getMonth()], two(date.getDate(), " "), time, date.getFullYear()];
  const word = sender.replaceAll(/[^\x21-\x7e\x80-\uffff]+/g, "-").slice(0, fromLineLimitBytes / 4);
  return `From ${word === "" ? "MAILER-DAEMON" : word}  ${named.join(" ")}\n`;
}
