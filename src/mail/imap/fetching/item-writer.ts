import {
  binaryOf,
  filterHeader,
  type MessagePart,
  type MessageStructure,
  type MessageSummary,
  partOf,
  readSection,
  type Section,
  sectionOf,
} from "../../message/index.ts";
import type { MessageContent } from "../../store/index.ts";
import { bodyStructureText, envelopeText, stringText, type TextOptions } from "../fetch-text/index.ts";
import { dateTimeText, type FetchItem, type Partial } from "../grammar/index.ts";
import { No } from "../session/index.ts";
import type { FetchedMessage, ItemWriter } from "./fetch-plan.ts";

/** Writes one item of a message: ` LABEL value`. */
export function itemWriter(item: FetchItem, options: TextOptions): ItemWriter {
  const { label } = item;
  switch (item.kind) {
    case "section":
      return sectionWriter(` ${label} `, item.section, item.partial);
    case "binary":
      return binaryWriter(` ${label} `, item.path, item.partial);
    case "binary-size":
      return (line, message) => {
        const decoded = decodedPart(message, item.path);
        line.text(` ${label} ${decoded?.length ?? 0}`);
      };
    case "preview":
      return (line, message) => line.text(` PREVIEW ${stringText(structureOf(message).preview, options)}`);
    default:
      return plainWriter(item.label, options);
  }
}

type PlainLabel = (FetchItem & { readonly kind: "plain" })["label"];

const plainTexts: Readonly<Record<PlainLabel, (message: FetchedMessage, options: TextOptions) => string>> = {
  UID: ({ record }) => `${record.uid}`,
  FLAGS: ({ record }) => `(${record.flags.join(" ")})`,
  MODSEQ: ({ record }) => `(${record.modSeq})`,
  INTERNALDATE: ({ record }) => dateTimeText(record.receivedMs),
  SAVEDATE: ({ record }) => dateTimeText(record.savedMs),
  "RFC822.SIZE": ({ record }) => `${record.sizeBytes}`,
  EMAILID: ({ record }) => `(${record.emailId})`,
  // RFC 8474 §5.2 allows it where threads are not kept.
  THREADID: () => "NIL",
  ENVELOPE: (message, options) => envelopeText(summaryOf(message).envelope, options),
  BODY: (message, options) => bodyStructureText(structureOf(message).root, { ...options, extended: false }),
  BODYSTRUCTURE: (message, options) => bodyStructureText(structureOf(message).root, { ...options, extended: true }),
};

function plainWriter(label: PlainLabel, options: TextOptions): ItemWriter {
  const textOf = plainTexts[label];
  return (line, message) => line.text(` ${label} ${textOf(message, options)}`);
}

/** RFC 9051 §6.4.5.1. A part that is not there is NIL; what lies past the end is an empty string. */
function sectionWriter(start: string, section: Section, partial: Partial | undefined): ItemWriter {
  if (section.part.length === 0 && section.text !== undefined && section.text !== "text") {
    return headerWriter(start, section, partial);
  }
  const isWhole = section.part.length === 0 && section.text === undefined;
  return (line, message) => {
    const content = contentOf(message);
    const bytes = isWhole ? { from: 0, to: content.sizeBytes } : sectionOf(structureOf(message).root, section);
    if (bytes === undefined) {
      line.text(`${start}NIL`);
      return;
    }
    if (bytes.fields !== undefined) {
      const read = (): Uint8Array => {
        return partOfBytes(
          readSection((from, to) => content.read(from, to), bytes),
          partial,
        );
      };
      line.text(start);
      line.literal(read(), read);
      return;
    }
    line.text(start);
    line.range(content, within(bytes, partial));
  };
}

/** The header of the message itself, or some of its fields: what clients ask of every message. */
function headerWriter(start: string, { text, fields = [] }: Section, partial: Partial | undefined): ItemWriter {
  return (line, message) => {
    const content = contentOf(message);
    const read = (): Uint8Array => {
      const header = content.readHeader();
      return partOfBytes(text === "header" ? header : filterHeader(header, fields, text === "fields-not"), partial);
    };
    line.text(start);
    line.literal(read(), read);
  };
}

/** RFC 3516 §4.3: a part with its transfer encoding taken off. */
function binaryWriter(start: string, path: readonly number[], partial: Partial | undefined): ItemWriter {
  return (line, message) => {
    const decoded = decodedPart(message, path);
    if (decoded === undefined) {
      line.text(`${start}NIL`);
      return;
    }
    const asked = partOfBytes(decoded, partial);
    line.text(`${start}${asked.includes(0) ? "~" : ""}`);
    line.literal(asked, () => partOfBytes(decodedPart(message, path) ?? new Uint8Array(), partial));
  };
}

function decodedPart(message: FetchedMessage, path: readonly number[]): Uint8Array | undefined {
  const content = contentOf(message);
  if (path.length === 0) return content.read();
  const part = partOf(structureOf(message).root, path);
  return part === undefined ? undefined : decodedBody(part, content);
}

function decodedBody(part: MessagePart, content: MessageContent): Uint8Array {
  const body = content.read(part.bodyOffset, part.bodyOffset + part.bodyBytes);
  const decoded = binaryOf(part, body);
  if (decoded === undefined) throw new No("A part is encoded in a way that is not known here.", "UNKNOWN-CTE");
  return decoded;
}

function partOfBytes(bytes: Uint8Array, partial: Partial | undefined): Uint8Array {
  const { from, to } = within({ from: 0, to: bytes.length }, partial);
  return bytes.subarray(from, to);
}

function within(
  { from, to }: { from: number; to: number },
  partial: Partial | undefined,
): { from: number; to: number } {
  if (partial === undefined) return { from, to };
  const start = Math.min(to, from + partial.from);
  return { from: start, to: Math.min(to, start + partial.bytes) };
}

function summaryOf({ summary }: FetchedMessage): MessageSummary {
  if (summary === undefined) throw new Error("the summary of a message was not fetched");
  return summary;
}

function structureOf({ structure }: FetchedMessage): MessageStructure {
  if (structure === undefined) throw new Error("the structure of a message was not fetched");
  return structure;
}

function contentOf({ content }: FetchedMessage): MessageContent {
  if (content === undefined) throw new Error("the content of a message was not opened");
  return content;
}
