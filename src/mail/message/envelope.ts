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

/**
 * The envelope of a header. Where a field of addresses stands twice, both count: else one program could be shown other
 * senders than the next one. Of other fields the last one counts.
 */
export function envelopeOf(bytes: Buffer, fields: readonly RawField[]): Envelope {
  const addresses = (name: string): readonly Address[] | undefined => {
    let found: readonly Address[] | undefined;
    for (const field of fields) {
      if (field.name !== name) continue;
      const more = parseAddresses(fieldText(bytes, field), messageLimits.addresses - (found?.length ?? 0));
      found = found === undefined ? more : [...found, ...more];
    }
    return found === undefined || found.length === 0 ? undefined : found;
  };
  const texts = new Map<string, string>();
  for (const field of fields) {
    if (!isText(field.name)) continue;
    const text = fieldText(bytes, field);
    // Blanks come from folding; nobody means more than one.
    texts.set(field.name, field.name === "subject" ? text.replaceAll(/[ \t]+/g, " ") : text);
  }
  const [date, subject, inReplyTo, messageId] = textFields.map((name) => texts.get(name));
  const from = addresses("from") ?? [];
  return {
    ...(date === undefined ? {} : { date }),
    ...(subject === undefined ? {} : { subject }),
    from,
    sender: addresses("sender") ?? from,
    replyTo: addresses("reply-to") ?? from,
    to: addresses("to") ?? [],
    cc: addresses("cc") ?? [],
    bcc: addresses("bcc") ?? [],
    ...(inReplyTo === undefined ? {} : { inReplyTo }),
    ...(messageId === undefined ? {} : { messageId }),
  };
}

const textFields = ["date", "subject", "in-reply-to", "message-id"] as const;

function isText(name: string): boolean {
  return textFields.some((each) => each === name);
}
