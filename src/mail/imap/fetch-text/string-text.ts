export interface TextOptions {
  /** Whether the client understands UTF-8 in quoted strings: IMAP4rev2, or UTF8=ACCEPT (RFC 6855). */
  readonly utf8: boolean;
}

/** Longer ones are literals: some clients read lines into buffers of this size. */
const longestQuoted = 4000;
const neverQuoted = /[\r\n\0]/;
const ascii = /^[\x20-\x7e\t]*$/;

/** An `nstring` (RFC 9051 §9): NIL, quoted, or a literal. To be sent as UTF-8. */
export function stringText(text: string | undefined, options: TextOptions): string {
  if (text === undefined) return "NIL";
  const canQuote = text.length <= longestQuoted && (ascii.test(text) || (options.utf8 && !neverQuoted.test(text)));
  if (!canQuote) {
    const whole = text.replaceAll("\0", "\ufffd");
    return `{${Buffer.byteLength(whole)}}\r\n${whole}`;
  }
  if (!text.includes('"') && !text.includes("\\")) return `"${text}"`;
  return `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}
