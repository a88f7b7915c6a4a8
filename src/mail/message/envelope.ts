import { parseAddresses } from "./addresses.ts";
import { fieldText, type RawField } from "./header.ts";
import { messageLimits } from "./limits.ts";
import type { Address, Envelope } from "./structure.ts";

/** Of which an envelope is made (RFC 9051 §7.5.2), and what threads are made of. */
const envelopeFields: ReadonlySet<string> = new Set([
  "date",
  "subject",
  "from",
  "sender",
  "reply-to",
  "to",
  "cc",
  "bcc",
  "in-reply-to",
  "message-id",
  "references",
]);

export function isEnvelopeField(name: string): boolean {
  return envelopeFields.has(name);
}

type Draft = { -readonly [Name in keyof Envelope]: Envelope[Name] };

/**
 * The envelope of a header. Where a field of addresses stands twice, both count: else one program could be shown other
 * senders than the next one. Of other fields the last one counts.
 */
export function envelopeOf(bytes: Buffer, fields: readonly RawField[]): Envelope {
  const envelope: Draft = { from: none, sender: none, replyTo: none, to: none, cc: none, bcc: none };
  for (const field of fields) readField(envelope, bytes, field);
  if (envelope.sender.length === 0) envelope.sender = envelope.from;
  if (envelope.replyTo.length === 0) envelope.replyTo = envelope.from;
  return envelope;
}

const none: readonly Address[] = [];

function readField(envelope: Draft, bytes: Buffer, field: RawField): void {
  switch (field.name) {
    case "date":
      envelope.date = fieldText(bytes, field);
      break;
    case "subject":
      // Blanks come from folding; nobody means more than one.
      envelope.subject = fieldText(bytes, field).replaceAll(/[ \t]+/g, " ");
      break;
    case "in-reply-to":
      envelope.inReplyTo = fieldText(bytes, field);
      break;
    case "message-id":
      envelope.messageId = fieldText(bytes, field);
      break;
    case "reply-to":
      envelope.replyTo = withAddresses(envelope.replyTo, bytes, field);
      break;
    case "from":
    case "sender":
    case "to":
    case "cc":
    case "bcc":
      envelope[field.name] = withAddresses(envelope[field.name], bytes, field);
      break;
    default:
  }
}

function withAddresses(before: readonly Address[], bytes: Buffer, field: RawField): readonly Address[] {
  // A million fields are looked at no further than the limit.
  if (before.length >= messageLimits.addresses) return before;
  const more = parseAddresses(fieldText(bytes, field), messageLimits.addresses - before.length);
  return before.length === 0 ? more : [...before, ...more];
}
