import { filterHeader } from "./filter-header.ts";
import type { MessagePart } from "./structure.ts";

/** What `BODY[…]` names (RFC 9051 §6.4.5.1): a part by its numbers, and what of it. */
export interface Section {
  /** Empty for the message itself. */
  readonly part: readonly number[];
  /** Absent: all of the message, the body of the part. */
  readonly text?: "header" | "text" | "mime" | "fields" | "fields-not";
  /** Of `HEADER.FIELDS` and `HEADER.FIELDS.NOT`, in any case. */
  readonly fields?: readonly string[];
}

/** Which bytes of the message a section is; of a header perhaps only some fields. */
export interface SectionBytes {
  readonly from: number;
  readonly to: number;
  readonly fields?: { readonly names: readonly string[]; readonly areLeftOut: boolean };
}

/** The bytes of a section; undefined where the message has no such part. */
export function sectionOf(root: MessagePart, section: Section): SectionBytes | undefined {
  const { text, fields = [] } = section;
  if (text === "mime") {
    const part = partOf(root, section.part);
    return part === undefined ? undefined : headerOf(part);
  }
  if (text === undefined) {
    if (section.part.length === 0) return { from: root.headerOffset, to: root.bodyOffset + root.bodyBytes };
    const part = partOf(root, section.part);
    return part === undefined ? undefined : bodyOf(part);
  }
  const message = section.part.length === 0 ? root : messageWithin(partOf(root, section.part));
  if (message === undefined) return undefined;
  if (text === "text") return bodyOf(message);
  const header = headerOf(message);
  return text === "header" ? header : { ...header, fields: { names: fields, areLeftOut: text === "fields-not" } };
}

/** The content of a section, read with `read(from, to)`. */
export function readSection(read: (from: number, to: number) => Uint8Array, bytes: SectionBytes): Uint8Array {
  const content = read(bytes.from, bytes.to);
  return bytes.fields === undefined ? content : filterHeader(content, bytes.fields.names, bytes.fields.areLeftOut);
}

/**
 * The part with these numbers. A message that is no multipart has itself as its part 1; the numbers of a message within go
 * on after those of the part that holds it.
 */
export function partOf(root: MessagePart, numbers: readonly number[]): MessagePart | undefined {
  let part: MessagePart | undefined;
  for (const [depth, number] of numbers.entries()) {
    const message: MessagePart | undefined = depth === 0 ? root : messageWithin(part);
    if (message === undefined) part = part?.parts[number - 1];
    else if (message.type === "multipart") part = message.parts[number - 1];
    else part = number === 1 ? message : undefined;
    if (part === undefined) return undefined;
  }
  return part;
}

function messageWithin(part: MessagePart | undefined): MessagePart | undefined {
  return part?.envelope === undefined ? undefined : part.parts[0];
}

function headerOf(part: MessagePart): SectionBytes {
  return { from: part.headerOffset, to: part.headerOffset + part.headerBytes };
}

function bodyOf(part: MessagePart): SectionBytes {
  return { from: part.bodyOffset, to: part.bodyOffset + part.bodyBytes };
}
