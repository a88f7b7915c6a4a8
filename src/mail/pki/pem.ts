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
const dashes = "-----";

/** The blocks in a text, whatever stands between them. One without its end is none. */
export function readPem(text: string): readonly PemBlock[] {
  const blocks: PemBlock[] = [];
  for (let at = text.indexOf(beginning); at !== -1; at = text.indexOf(beginning, at)) {
    const labelAt = at + beginning.length;
    const labelEnd = text.indexOf(dashes, labelAt);
    if (labelEnd === -1) break;
    const label = text.slice(labelAt, labelEnd);
    const contentAt = labelEnd + dashes.length;
    const end = text.indexOf(`-----END ${label}-----`, contentAt);
    if (label.includes("\n") || end === -1) {
      at = labelAt;
      continue;
    }
    blocks.push({ label, bytes: Buffer.from(text.slice(contentAt, end), "base64") });
    at = end;
  }
  return blocks;
}
