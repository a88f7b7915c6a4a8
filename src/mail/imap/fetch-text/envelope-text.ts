import type { Address, Envelope } from "../../message/index.ts";
import { stringText, type TextOptions } from "./string-text.ts";

/** ENVELOPE as IMAP says it (RFC 9051 §7.5.2). To be sent as UTF-8. */
export function envelopeText(envelope: Envelope, options: TextOptions): string {
  const addresses = (list: readonly Address[]): string => addressesText(list, options);
  return `(${[
    stringText(envelope.date, options),
    stringText(envelope.subject, options),
    addresses(envelope.from),
    addresses(envelope.sender),
    addresses(envelope.replyTo),
    addresses(envelope.to),
    addresses(envelope.cc),
    addresses(envelope.bcc),
    stringText(envelope.inReplyTo, options),
    stringText(envelope.messageId, options),
  ].join(" ")})`;
}

function addressesText(addresses: readonly Address[], options: TextOptions): string {
  if (addresses.length === 0) return "NIL";
  return `(${addresses.map((address) => addressText(address, options)).join("")})`;
}

/** What is missing must not be NIL, since that says group; clients know these words from Dovecot. */
function addressText({ name, mailbox, host }: Address, options: TextOptions): string {
  const mailboxText = stringText(mailbox === "" && host !== undefined ? "MISSING_MAILBOX" : mailbox, options);
  const hostText = stringText(host === "" ? "MISSING_DOMAIN" : host, options);
  return `(${stringText(name, options)} NIL ${mailboxText} ${hostText})`;
}
