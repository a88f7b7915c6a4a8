import { toFile } from "../line-ends.ts";
import { formatFromLine, parseFromLine, type FromLine } from "./from-line.ts";
import { formatHeaderBlock, parseHeaderBlock, type MetadataToWrite } from "./metadata.ts";

const newline = 10;
const carriageReturn = 13;
/** In so many bytes Return-Path is looked for: it comes first. */
const senderLimitBytes = 1000;
const quoted = Buffer.from("\nFrom ");

/**
 * A message as one that is delivered lies in an mbox: what only the programs of the mailbox may say is not taken from
 * its sender, and lines of the body that begin with "From " get a `>` before them, as procmail and others do it.
 */
export function deliveredText(content: Uint8Array, from: FromLine): Uint8Array {
  const { header, body } = split(content);
  const { own, ending } = parseHeaderBlock(header);
  return joined([Buffer.from(formatFromLine(from)), own, lineEndOf(own), endingOf(ending), quote(body)]);
}

/**
 * A message as one that a client brings lies there: its body byte for byte, with its length before it, so that
 * whoever reads it back gets what was given.
 */
export function appendedText(content: Uint8Array, receivedMs: number, metadata: MetadataToWrite): Uint8Array {
  const { header, body } = split(content);
  const block = formatHeaderBlock(parseHeaderBlock(header), { ...metadata, contentLength: body.length });
  return joined([
    Buffer.from(formatFromLine({ sender: senderOf(content), receivedMs })),
    block,
    body,
    lineEndOf(body),
    Buffer.of(newline),
  ]);
}

/** With line ends as files have them; a From_ line that came along is not part of it. */
function split(content: Uint8Array): { readonly header: Buffer; readonly body: Buffer } {
  const file = toFile(content);
  let text = Buffer.from(file.buffer, file.byteOffset, file.length);
  const end = text.indexOf(newline);
  if (end !== -1 && parseFromLine(text.subarray(0, end).toString().trimEnd()) !== undefined)
    text = text.subarray(end + 1);
  const bodyAt = bodyOffsetIn(text);
  return { header: text.subarray(0, bodyAt), body: text.subarray(bodyAt) };
}

/** Past the first empty line. */
function bodyOffsetIn(text: Buffer): number {
  for (let at = 0; at < text.length;) {
    const lineEnd = text.indexOf(newline, at);
    if (lineEnd === -1) break;
    if (lineEnd === at || (lineEnd === at + 1 && text[at] === carriageReturn)) return lineEnd + 1;
    at = lineEnd + 1;
  }
  return text.length;
}

/** The body, with an empty line after it. */
function quote(body: Buffer): Buffer {
  const parts: Uint8Array[] = [];
  let from = 0;
  const text = joined([Buffer.of(newline), body]);
  for (let at = text.indexOf(quoted); at !== -1; at = text.indexOf(quoted, at + 1)) {
    parts.push(text.subarray(from, at + 1), Buffer.from(">"));
    from = at + 1;
  }
  parts.push(text.subarray(from), lineEndOf(body), Buffer.of(newline));
  return joined(parts).subarray(1);
}

function lineEndOf(bytes: Uint8Array): Uint8Array {
  return bytes.length === 0 || bytes.at(-1) === newline ? new Uint8Array(0) : Buffer.of(newline);
}

function endingOf(ending: Uint8Array): Uint8Array {
  return ending.length === 0 ? Buffer.of(newline) : ending;
}

function joined(parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat(parts);
}

/** The envelope's sender, where whoever delivered has put it into the message. */
function senderOf(content: Uint8Array): string {
  const begin = Buffer.from(content.buffer, content.byteOffset, Math.min(content.length, senderLimitBytes)).toString();
  return /^Return-Path:[ \t]*<([^<>\r\n]*)>/i.exec(begin)?.[1] ?? "";
}
