import type { HeaderRules } from "./account.ts";

/** What the header of a fetched message tells, and where its body begins. */
export interface ReadHeader {
  /** The header's own lines that are kept, with the empty line after them where there is one. */
  readonly lines: Buffer;
  readonly bodyOffset: number;
  /** Envelope sender: of Return-Path, else of the fields in which fetchmail looks; empty for bounces. */
  readonly sender: string;
}

export interface ReceivedLine {
  /** The server, as it was called, and its address. */
  readonly host: string;
  readonly address: string;
  readonly hereName: string;
  readonly protocol: string;
  readonly version: string;
  /** What this message is known by, so that it is found again after a crash. */
  readonly id: string;
  readonly recipient: string;
  readonly date: Date;
  /** Account and folder, with `tracepolls`. */
  readonly trace?: string;
}

/** In which order fetchmail looks for who sent a message; the second half of those must have an address in them. */
const senderFields = ["return-path", "resent-sender", "sender", "resent-from", "from", "reply-to", "apparently-from"];
const statusFields: ReadonlySet<string> = new Set(["status", "x-mozilla-status"]);

/** Takes the header of a message apart. `dropsReturnPath`: whoever gets it next writes its own. */
export function readHeader(head: Buffer, rules: HeaderRules, dropsReturnPath: boolean): ReadHeader {
  const kept: Buffer[] = [];
  const senders = new Map<string, string>();
  let at = 0;
  while (at < head.length) {
    const end = fieldEnd(head, at);
    const field = head.subarray(at, end);
    if (isEmptyLine(field)) {
      kept.push(field);
      at = end;
      break;
    }
    const colon = field.indexOf(":");
    const name = colon < 0 ? "" : field.toString("latin1", 0, colon).trimEnd().toLowerCase();
    if (colon < 0 && !field.toString("latin1", 0, 5).startsWith("From ")) break; // the body begins without an empty line
    if (senderFields.includes(name) && !senders.has(name)) senders.set(name, field.toString("latin1", colon + 1));
    if (!isDropped(name, field, colon, rules, dropsReturnPath) && colon >= 0) kept.push(field);
    at = end;
  }
  return { lines: Buffer.concat(kept), bodyOffset: at, sender: senderOf(senders) };
}

function isDropped(name: string, field: Buffer, colon: number, rules: HeaderRules, dropsReturnPath: boolean): boolean {
  if (name === "return-path") return dropsReturnPath;
  if (name === "delivered-to") return rules.dropsDelivered;
  if (!statusFields.has(name)) return false;
  return rules.dropsStatus || field.toString("latin1", colon + 1).trim() === "";
}

/** Behind the field that begins at `from`: lines that begin with a space belong to it. */
function fieldEnd(head: Buffer, from: number): number {
  for (let at = from; ;) {
    const end = head.indexOf(10, at);
    if (end < 0) return head.length;
    at = end + 1;
    if (isEmptyLine(head.subarray(from, at)) || (head[at] !== 32 && head[at] !== 9)) return at;
  }
}

function isEmptyLine(line: Buffer): boolean {
  return line[0] === 10 || (line[0] === 13 && line[1] === 10);
}

function senderOf(senders: ReadonlyMap<string, string>): string {
  for (const name of senderFields) {
    const value = senders.get(name);
    if (value === undefined) continue;
    const address = addressIn(value);
    if (address !== "" || name === "return-path") return address;
  }
  return "";
}

/** The first address of a field: between angle brackets, else its first word that has an at sign. */
function addressIn(value: string): string {
  const text = value.replaceAll(/\s+/g, " ").replaceAll(/"(?:\\.|[^"\\])*"(?!@)/g, "");
  const bracketed = /<([^<>]*)>/.exec(text)?.[1];
  const plain = bracketed ?? / ?([^\s<>(),;:]+@[^\s<>(),;:]+)/.exec(text)?.[1] ?? "";
  // What could be taken for another command, or two words, is no address.
  return /^[!-~]+$/.test(plain) && plain.length <= 320 ? plain : "";
}

/** The line that says how a message came (RFC 5321 §4.4), folded as fetchmail folds it. */
export function receivedLine(line: ReceivedLine, lineEnd: string): string {
  const how = `${line.protocol} (holdfast-${line.version}${line.trace === undefined ? "" : ` ${line.trace}`})`;
  return [
    `Received: from ${line.host} [${line.address}]`,
    `\tby ${line.hereName} with ${how} id ${line.id}`,
    `\tfor <${line.recipient}> (single-drop); ${mailDate(line.date)}`,
    "",
  ].join(lineEnd);
}

const days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

function two(value: number): string {
  return String(value).padStart(2, "0");
}

/** RFC 5322 §3.3, in the time of this place. */
function mailDate(date: Date): string {
  const ahead = -date.getTimezoneOffset();
  const zone = `${ahead < 0 ? "-" : "+"}${two(Math.floor(Math.abs(ahead) / 60))}${two(Math.abs(ahead) % 60)}`;
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return `${days[date.getDay()]}, ${two(date.getDate())} ${months[date.getMonth()]} ${date.getFullYear()} ${time} ${zone}`;
}
