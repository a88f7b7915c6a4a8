import * as crypto from "node:crypto";

/** The numbers of a DSA key, big-endian. */
export interface DsaNumbers {
  readonly p: Uint8Array;
  readonly q: Uint8Array;
  readonly g: Uint8Array;
  readonly y: Uint8Array;
}

const dsaOid = Buffer.from("06072a8648ce380401", "hex"); // 1.2.840.10040.4.1, RFC 3279 §2.3.2

/** Node takes DSA keys in no other form than this one of X.509. Undefined where the numbers are none of a key. */
export function dsaKey({ p, q, g, y }: DsaNumbers): crypto.KeyObject | undefined {
  const algorithm = tagged(0x30, dsaOid, tagged(0x30, integer(p), integer(q), integer(g)));
  const bits = tagged(0x03, Buffer.of(0), integer(y));
  try {
    return crypto.createPublicKey({ key: tagged(0x30, algorithm, bits), format: "der", type: "spki" });
  } catch {
    return undefined;
  }
}

function integer(number: Uint8Array): Buffer {
  // The highest bit is the sign.
  return tagged(0x02, ((number[0] ?? 0) & 0x80) === 0 && number.length > 0 ? [] : Buffer.of(0), number);
}

/** X.690 §8.1: tag, length, content. */
function tagged(tag: number, ...parts: readonly (Uint8Array | readonly never[])[]): Buffer {
  const content = Buffer.concat(parts.map((part) => Buffer.from(part)));
  if (content.length < 0x80) return Buffer.concat([Buffer.of(tag, content.length), content]);
  const digits = content.length.toString(16);
  const length = Buffer.from(digits.padStart(digits.length + (digits.length % 2), "0"), "hex");
  return Buffer.concat([Buffer.of(tag, 0x80 + length.length), length, content]);
}
