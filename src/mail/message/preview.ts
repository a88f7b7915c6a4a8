import { withoutHalfCharacter } from "./header.ts";
import { textOfPart } from "./part-text.ts";
import type { MessagePart } from "./structure.ts";

/** RFC 8970 §3.1: at most 256 characters, better 200. */
const previewCharacters = 200;
/** How much of a body is looked at, first and where that gave too little: HTML begins with pages of style. */
const lookBytes = [4 * 1024, 96 * 1024];

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
    const whole = bytes.subarray(part.bodyOffset, part.bodyOffset + part.bodyBytes);
    const body = whole.length > look ? withoutHalfCharacter(whole.subarray(0, look)) : whole;
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
  const collect = (part: MessagePart): void => {
    if (found.length >= triedParts || part.disposition?.type === "attachment") return;
    if (part.type === "text" && part.bodyBytes > 0) found.push(part);
    if (part.type === "multipart") for (const each of part.parts) collect(each);
  };
  collect(root);
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
  const plain = text
    .slice(0, previewCharacters * 20)
    .replaceAll(/[\s\p{Cc}\u{ad}\u{200b}\u{200c}\u{feff}]+/gu, " ")
    .trim();
  const cut = plain.slice(0, previewCharacters);
  return cut.isWellFormed() ? cut : cut.slice(0, -1).toWellFormed();
}
