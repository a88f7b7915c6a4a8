import { beforeHalfCharacter } from "./header.ts";
import { textOfPart } from "./part-text.ts";
import type { MessagePart } from "./structure.ts";

/** RFC 8970 §3.1: at most 256 characters, better 200. */
const previewCharacters = 200;
/** How much of a body is looked at, first and where that gave too little: HTML begins with pages of style. */
const lookBytes = [1024, 8 * 1024, 96 * 1024];

/** The first words of a message (RFC 8970): of its first part of text that says something, quoted lines left out. */
export function previewOf(bytes: Buffer, root: MessagePart): string {
  for (const part of textParts(root)) {
    const preview = previewOfPart(bytes, part);
    if (preview !== "") return preview;
  }
  return "";
}

function previewOfPart(bytes: Buffer, part: MessagePart): string {
  let preview = "";
  for (const look of lookBytes) {
    const { bodyOffset } = part;
    const isCut = part.bodyBytes > look;
    const end = bodyOffset + (isCut ? look : part.bodyBytes);
    const body = bytes.subarray(bodyOffset, isCut ? beforeHalfCharacter(bytes, bodyOffset, end) : end);
    const text = textOfPart(part, body, previewCharacters * 8);
    const own = part.subtype === "html" ? text : withoutQuotes(text);
    preview = shortened(own.trim() === "" ? text : own);
    if (look >= part.bodyBytes || preview.length >= previewCharacters / 2) break;
  }
  return preview;
}

/** Alternatives say the same: plain text first. How many parts are tried is bounded. */
function textParts(root: MessagePart): readonly MessagePart[] {
  const found: MessagePart[] = [];
  const collect = (part: MessagePart, inMessages: boolean): void => {
    if (found.length >= triedParts || part.disposition?.type === "attachment") return;
    if (part.type === "text" && part.bodyBytes > 0) found.push(part);
    if (part.type === "multipart" || inMessages) for (const each of part.parts) collect(each, inMessages);
  };
  collect(root, false);
  if (found.length === 0) collect(root, true);
  return found.sort((a, b) => Number(a.subtype !== "plain") - Number(b.subtype !== "plain"));
}

const triedParts = 5;

function withoutQuotes(text: string): string {
  if (!text.includes(">")) return text;
  const lines = text.split("\n");
  return lines.filter((line) => !line.startsWith(">")).join("\n");
}

/** White space and what nobody sees made one blank, cut between characters. */
function shortened(text: string): string {
  let preview = "";
  let from = 0;
  // By hand, and only as far as is needed: of every message that comes, this is done once.
  for (let at = 0; at < text.length && preview.length + at - from < previewCharacters; at++) {
    if (!isUnseen(text.charCodeAt(at))) continue;
    const isOneBlank = text[at] === " " && at > from && !isUnseen(text.charCodeAt(at + 1));
    if (isOneBlank) continue;
    preview = joined(preview, text.slice(from, at));
    from = at + 1;
  }
  const cut = joined(preview, text.slice(from, from + previewCharacters))
    .slice(0, previewCharacters)
    .trimEnd();
  return cut.isWellFormed() ? cut : cut.slice(0, -1).toWellFormed();
}

function joined(before: string, after: string): string {
  return before === "" || after === "" ? before + after : `${before} ${after}`;
}

function isUnseen(code: number): boolean {
  if (code <= 0x20) return true;
  if (code < 0x7f) return false;
  // Controls, soft hyphens, and what newsletters fill their own previews with.
  return code <= 0xa0 || code === 0xad || (code >= 0x2000 && code <= 0x200c) || code === 0x2007 || code === 0xfeff;
}
