import { baseSubjectOf } from "./base-subject.ts";
import { envelopeOf, isEnvelopeField } from "./envelope.ts";
import { fieldText, readHeader, type RawField } from "./header.ts";
import { messageIdsOf } from "./message-ids.ts";
import { PartReader } from "./part-reader.ts";
import { previewOf } from "./preview.ts";
import { parseSentDate } from "./sent-date.ts";
import type { Envelope, MessageStructure, MessageSummary } from "./structure.ts";

/** Takes a message apart as it is on the wire. Never throws for what is in it; takes time in proportion to its size. */
export function parseMessage(content: Uint8Array): MessageStructure {
  const bytes = bufferOf(content);
  const { part, envelope, fields } = new PartReader(bytes).readMessage(0, 0);
  return {
    ...summaryOf(bytes, fields, envelope),
    root: part,
    preview: previewOf(bytes, part),
  };
}

/**
 * What the header says, of the beginning of a message: its lines may end in LF alone, as a file has them. Undefined where the
 * header does not end in there, unless that is all of the message.
 */
export function parseSummary(beginning: Uint8Array, isWhole: boolean): MessageSummary | undefined {
  const bytes = bufferOf(beginning);
  const { fields, isEnded } = readHeader(bytes, 0, isEnvelopeField);
  if (!isEnded && !isWhole) return undefined;
  return summaryOf(bytes, fields, envelopeOf(bytes, fields));
}

/** Where the header ends, after its empty line; undefined where that does not come. */
export function headerEndOf(message: Uint8Array): number | undefined {
  const { end, isEnded } = readHeader(bufferOf(message), 0, () => false);
  return isEnded ? end : undefined;
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function summaryOf(bytes: Buffer, fields: readonly RawField[], envelope: Envelope): MessageSummary {
  const sent = parseSentDate(envelope.date);
  const references = messageIdsOf(lastText(bytes, fields, "references"));
  return {
    envelope,
    ...(sent === undefined ? {} : { sentMs: sent.ms }),
    baseSubject: baseSubjectOf(envelope.subject).text,
    references: references.length > 0 ? references : messageIdsOf(envelope.inReplyTo).slice(0, 1),
  };
}

function lastText(bytes: Buffer, fields: readonly RawField[], name: string): string | undefined {
  const field = fields.findLast((each) => each.name === name);
  return field === undefined ? undefined : fieldText(bytes, field);
}
