import type { TextQuery } from "../store/index.ts";
import { decodeWords } from "./encoded-words.ts";
import { fieldText, readHeader } from "./header.ts";
import { parameterValue } from "./parameter-value.ts";
import { textOfPart } from "./part-text.ts";
import type { MessagePart } from "./structure.ts";

/** What one looks for in a message, as a reader sees it: decoded, without the tags of HTML. Not folded yet. */
export interface SearchText {
  /** A line for each field of the header: `subject: Where?`. */
  readonly headers: string;
  /** Every text within, attached ones and the headers of attached messages too, and the names of attachments. */
  readonly body: string;
}

/** Of one message; what comes after is not found by its words. */
const searchedCharacters = 16 * 1024 * 1024;

/** The text of a message for full-text search. `root` is that of its structure. */
export function searchTextOf(content: Uint8Array, root: MessagePart): SearchText {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  return { headers: headerLines(bytes, root), body: bodyText(bytes, root) };
}

/** Whether a message has what is looked for, without an index (RFC 9051 §6.4.4: BODY, HEADER, TEXT). */
export function textMatches(content: Uint8Array, root: MessagePart, query: TextQuery): boolean {
  const wanted = foldText(query.text);
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  if (query.in === "header") {
    return headerValues(bytes, query.name).some((value) => foldText(value).includes(wanted));
  }
  if (query.in === "text" && foldText(headerLines(bytes, root)).includes(wanted)) return true;
  return foldText(bodyText(bytes, root)).includes(wanted);
}

/** The values of all fields with this name in the header with which `content` begins, decoded. */
export function headerValues(content: Uint8Array, name: string): readonly string[] {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  const wanted = name.toLowerCase();
  const { fields } = readHeader(bytes, 0, (each) => each === wanted);
  return fields.map((field) => decodeWords(fieldText(bytes, field)));
}

/**
 * As texts are compared (i;unicode-casemap, RFC 5051: capitals and small letters equal, accents apart from their letters),
 * and every run of white space as one blank: a line broken elsewhere is still found.
 */
export function foldText(text: string): string {
  const spaced = text.replaceAll(notOneBlank, " ");
  return asciiOnly.test(spaced) ? spaced.toUpperCase() : spaced.normalize("NFKD").toUpperCase().normalize("NFKD");
}

/** White space that is more or other than one blank: single ones need no work, and are most. */
const notOneBlank = /[^\S ]\s*| \s+/g;
const asciiOnly = /^[\x20-\x7e]*$/;

function headerLines(bytes: Buffer, part: MessagePart): string {
  const header = bytes.subarray(part.headerOffset, part.headerOffset + part.headerBytes);
  const { fields } = readHeader(header, 0, () => true);
  return fields.map((field) => `${field.name}: ${decodeWords(fieldText(header, field))}\n`).join("");
}

function bodyText(bytes: Buffer, root: MessagePart): string {
  let text = "";
  const collect = (part: MessagePart): void => {
    if (text.length >= searchedCharacters) return;
    const name =
      parameterValue(part.disposition?.parameters ?? [], "filename") ?? parameterValue(part.parameters, "name");
    if (name !== undefined) text += `${name}\n`;
    if (part.type === "text") {
      const to = part.bodyOffset + Math.min(part.bodyBytes, searchedCharacters);
      text += `${textOfPart(part, bytes.subarray(part.bodyOffset, to))}\n`;
    }
    const [message] = part.parts;
    if (part.envelope !== undefined && message !== undefined) text += headerLines(bytes, message);
    for (const each of part.parts) collect(each);
  };
  collect(root);
  return text.slice(0, searchedCharacters);
}
