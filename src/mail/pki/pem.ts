/** One block of PEM (RFC 7468). */
export interface PemBlock {
  readonly label: string;
  readonly bytes: Uint8Array;
}

/** `X509 CRL` is what OpenSSL wants of a revocation list, and RFC 7468 §6. */
export type PemLabel = "CERTIFICATE" | "X509 CRL" | "PRIVATE KEY" | "ENCRYPTED PRIVATE KEY";

export function encodePem(label: PemLabel, bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
}

const beginning = "-----BEGIN ";
const ending = "-----END ";
const dashes = "-----";

/** The blocks in a text, whatever stands between them. One without its end is none. Each part of the text is looked at once. */
export function readPem(text: string): readonly PemBlock[] {
  const blocks: PemBlock[] = [];
  let endAt = text.indexOf(ending);
  for (let at = text.indexOf(beginning); at !== -1;) {
    const next = text.indexOf(beginning, at + beginning.length);
    if (endAt < at) endAt = text.indexOf(ending, at);
    if (endAt === -1) break;
    const block = next === -1 || endAt < next ? blockOf(text.slice(at, endAt), text, endAt) : undefined;
    if (block !== undefined) blocks.push(block);
    at = next;
  }
  return blocks;
}

function blockOf(head: string, text: string, endAt: number): PemBlock | undefined {
  const labelEnd = head.indexOf(dashes, beginning.length);
  const label = head.slice(beginning.length, labelEnd);
  if (labelEnd === -1 || !text.startsWith(`${ending}${label}${dashes}`, endAt)) return undefined;
  return { label, bytes: Buffer.from(head.slice(labelEnd + dashes.length), "base64") };
}
