import { formatFromLine } from "./from-line.ts";

/**
 * What programs keep about a message among its own header fields (docs/formats/mbox.md). None of these fields is part of
 * the message for those who read it.
 */
export interface Metadata {
  /** X-IMAPbase, or X-IMAP where the message is only there to hold it. */
  readonly base?: MailboxBase;
  readonly isPseudo: boolean;
  readonly uid?: number;
  /** Status and X-Status, each as letters. */
  readonly status: string;
  readonly keywords: readonly string[];
  readonly contentLength?: number;
}

/** What holds for the whole mailbox, in its first message. */
export interface MailboxBase {
  readonly uidValidity: number;
  readonly lastUid: number;
  /** Every keyword in use, in the order in which they came. */
  readonly keywords: readonly string[];
}

/** A header block taken apart: what the message itself has, and what programs keep there. */
export interface HeaderBlock {
  /** The fields of the message as they lie there, without the empty line that ends them. */
  readonly own: Uint8Array;
  readonly metadata: Metadata;
  /** As bytes that end the block: the empty line; nothing where the message ends with its header. */
  readonly ending: Uint8Array;
}

/** Room after the last field, so that flags can be changed without moving what follows; as much as Dovecot leaves. */
const paddingBytes = 50;

export const uidLimit = 0xffff_ffff;
const keywordLimit = 1000;

const systemFlagLetters: readonly (readonly [letter: string, flag: string])[] = [
  ["R", "\\Seen"],
  ["A", "\\Answered"],
  ["F", "\\Flagged"],
  ["T", "\\Draft"],
  ["D", "\\Deleted"],
];

const metadataName = /^(x-imapbase|x-imap|x-uid|status|x-status|x-keywords|content-length)[ \t]*:/i;
/** Letters with which those begin, as bytes: most lines need no more than this look. */
const firstLetters: ReadonlySet<number> = new Set(Buffer.from("xXsScC"));

/** `bytes` is a header block from after the From_ line through the empty line. */
export function parseHeaderBlock(bytes: Uint8Array): HeaderBlock {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const fields: [name: string, value: string][] = [];
  const kept: Buffer[] = [];
  let at = 0;
  let isDropping = false;
  while (at < buffer.length) {
    const newline = buffer.indexOf(10, at);
    const end = newline === -1 ? buffer.length : newline + 1;
    if (isEmptyLine(buffer, at, end)) break;
    const first = buffer[at];
    const isContinuation = first === 32 || first === 9;
    if (!isContinuation) {
      const name = first !== undefined && firstLetters.has(first) ? fieldName(buffer, at, end) : undefined;
      isDropping = name !== undefined;
      if (name !== undefined) fields.push([name, fieldValue(buffer, at, end)]);
    }
    if (!isDropping) kept.push(buffer.subarray(at, end));
    at = end;
  }
  return { own: Buffer.concat(kept), metadata: metadataOf(fields), ending: buffer.subarray(at) };
}

function isEmptyLine(buffer: Buffer, at: number, end: number): boolean {
  return buffer[at] === 10 || (end - at === 2 && buffer[at] === 13 && buffer[at + 1] === 10);
}

function fieldName(buffer: Buffer, at: number, end: number): string | undefined {
  return metadataName.exec(buffer.toString("latin1", at, Math.min(end, at + 40)))?.[1]?.toLowerCase();
}

function fieldValue(buffer: Buffer, at: number, end: number): string {
  const line = buffer.toString("utf8", at, end);
  return line.slice(line.indexOf(":") + 1).trim();
}

function metadataOf(fields: readonly (readonly [name: string, value: string])[]): Metadata {
  const value = (name: string): string | undefined => fields.find(([found]) => found === name)?.[1];
  const base = parseBase(value("x-imap")) ?? parseBase(value("x-imapbase"));
  const uid = parseNumber(value("x-uid"));
  const contentLength = parseNumber(value("content-length"), Number.MAX_SAFE_INTEGER);
  return {
    isPseudo: parseBase(value("x-imap")) !== undefined,
    status: `${value("status") ?? ""}${value("x-status") ?? ""}`,
    keywords: words(value("x-keywords") ?? ""),
    ...(base !== undefined && { base }),
    ...(uid !== undefined && uid > 0 && { uid }),
    ...(contentLength !== undefined && { contentLength }),
  };
}

function parseBase(value: string | undefined): MailboxBase | undefined {
  const match = /^(\d{1,10}) +(\d{1,10})(?:\s+(.*))?$/.exec(value ?? "");
  const [uidValidity, lastUid] = [parseNumber(match?.[1]), parseNumber(match?.[2])];
  if (uidValidity === undefined || uidValidity === 0 || lastUid === undefined) return undefined;
  return { uidValidity, lastUid, keywords: words(match?.[3] ?? "") };
}

function parseNumber(text: string | undefined, limit = uidLimit): number | undefined {
  if (text === undefined || !/^\d{1,16}$/.test(text)) return undefined;
  const value = Number(text);
  return value <= limit ? value : undefined;
}

function words(text: string): readonly string[] {
  return text.split(/\s+/, keywordLimit).filter((word) => word !== "");
}

/** System flags of the letters, and keywords; only those that the mailbox lists, since a sender may have made others up. */
export function flagsOf(metadata: Metadata, listed: readonly string[]): readonly string[] {
  const known = new Map(listed.map((keyword) => [keyword.toLowerCase(), keyword]));
  const flags = systemFlagLetters.filter(([letter]) => metadata.status.includes(letter)).map(([, flag]) => flag);
  const keywords = metadata.keywords.map((keyword) => known.get(keyword.toLowerCase()));
  return [...new Set([...flags, ...keywords.filter((keyword) => keyword !== undefined)])].toSorted();
}

/** What is to be kept about a message. */
export interface MetadataToWrite {
  readonly base?: MailboxBase | undefined;
  /** Absent for the message that only holds the base. */
  readonly uid?: number;
  readonly flags: readonly string[];
  /** Whether a program has looked at it before: `O` of Status. */
  readonly isOld: boolean;
  readonly contentLength?: number | undefined;
}

/**
 * A header block with this about the message. With `exactBytes` the room after the last field is made so large that the
 * block is as long as that, where it fits; else there is as much room as Dovecot leaves.
 */
export function formatHeaderBlock(block: HeaderBlock, write: MetadataToWrite, exactBytes?: number): Uint8Array {
  const before = block.own.at(-1) === 10 || block.own.length === 0 ? "" : "\n";
  const fields = metadataFields(write);
  const bare = block.own.length + before.length + fields.reduce((sum, field) => sum + byteLength(field) + 1, 0);
  const isEnded = block.ending.length > 0;
  const ending = isEnded ? block.ending : Buffer.from("\n");
  const room = exactBytes === undefined ? paddingBytes : exactBytes - bare - ending.length;
  const padding = " ".repeat(room < 0 ? paddingBytes : room);
  return Buffer.concat([block.own, Buffer.from(`${before}${fields.join("\n")}${padding}\n`), ending]);
}

function byteLength(text: string): number {
  return Buffer.byteLength(text);
}

/** The padding is behind the last one. */
function metadataFields({ base, uid, flags, isOld, contentLength }: MetadataToWrite): readonly string[] {
  const letters = systemFlagLetters.filter(([, flag]) => flags.includes(flag)).map(([letter]) => letter);
  const status = `${letters.includes("R") ? "R" : ""}${isOld ? "O" : ""}`;
  const more = letters.filter((letter) => letter !== "R").join("");
  const keywords = flags.filter((flag) => !flag.startsWith("\\"));
  return [
    ...(contentLength === undefined ? [] : [`Content-Length: ${contentLength}`]),
    ...(base === undefined ? [] : [`${uid === undefined ? "X-IMAP" : "X-IMAPbase"}: ${formatBase(base)}`]),
    ...(status === "" ? [] : [`Status: ${status}`]),
    ...(more === "" ? [] : [`X-Status: ${more}`]),
    ...(keywords.length === 0 ? [] : [`X-Keywords: ${keywords.join(" ")}`]),
    ...(uid === undefined ? [] : [`X-UID: ${uid}`]),
  ];
}

/** The last UID has ten digits, so that it can grow in its place. */
function formatBase({ uidValidity, lastUid, keywords }: MailboxBase): string {
  return [uidValidity, String(lastUid).padStart(10, "0"), ...keywords].join(" ");
}

/**
 * The message that holds what is known of a mailbox without messages, as c-client and Dovecot write it: programs know
 * it by X-IMAP and do not show it.
 */
export function formatPseudoMessage(
  base: MailboxBase,
  { nowMs, host }: { readonly nowMs: number; readonly host: string },
) {
  const header = [
    `Date: ${new Date(nowMs).toUTCString().replace("GMT", "+0000")}`,
    `From: Mail System Internal Data <MAILER-DAEMON@${host}>`,
    "Subject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA",
    `Message-ID: <${Math.floor(nowMs / 1000)}@${host}>`,
  ];
  const body = [
    "This text is part of the internal format of your mail folder, and is not",
    "a real message.  It is created automatically by the mail system software.",
    "If deleted, important folder data will be lost, and it will be re-created",
    "with the data reset to initial values.",
  ];
  const block = parseHeaderBlock(Buffer.from(`${header.join("\n")}\n\n`));
  return Buffer.concat([
    Buffer.from(formatFromLine({ sender: "MAILER_DAEMON", receivedMs: nowMs })),
    formatHeaderBlock(block, { base, flags: ["\\Seen"], isOld: true }),
    Buffer.from(`${body.join("\n")}\n\n`),
  ]);
}
