import { decodeArmour, isArmoured } from "./armour.ts";
import { canonicalText, isCleartext, parseCleartext } from "./cleartext.ts";
import { detachedPackets, parseSignatures } from "./detached.ts";
import { issuerOf, judge, type Verdict, type VerifyOptions } from "./judge.ts";
import { parseMessage } from "./message.ts";
import { signatureType, type Signature } from "./signature.ts";

/** What was signed, with its signatures, before anyone has asked what these are worth. */
export interface SignedContent {
  /** Only this is what the signatures are over, never the file that it came in. */
  readonly content: Uint8Array;
  readonly signatures: readonly Signature[];
  /** What signatures of a type hash. */
  readonly over: (type: number) => Uint8Array | undefined;
}

/** A file that has its signatures in it: a cleartext-signed text, or a signed message. Throws `damaged` where it is none. */
export function openSigned(file: Uint8Array): SignedContent {
  if (isCleartext(file)) {
    const { text, hashed, signatures } = parseCleartext(file);
    const over = (type: number): Uint8Array | undefined => (type === signatureType.text ? hashed : undefined);
    return { content: Buffer.from(text), signatures: parseSignatures(signatures), over };
  }
  const bytes = isArmoured(file) ? decodeArmour(Buffer.from(file).toString("latin1"), "MESSAGE") : file;
  const { content, signatures } = parseMessage(bytes);
  return { content, signatures: parseSignatures(signatures), over: overFile(content) };
}

/** A file with detached signatures, armoured or not. */
export function withDetached(content: Uint8Array, signatureFile: Uint8Array): SignedContent {
  return { content, signatures: readDetached(signatureFile), over: overFile(content) };
}

/** The signatures in a file that has nothing else. Throws `damaged` where it is none. */
export function readDetached(signatureFile: Uint8Array): readonly Signature[] {
  return parseSignatures(detachedPackets(signatureFile));
}

/** The keys that say they made these signatures, by fingerprint or key ID; undefined for one that does not say. */
export function issuersOf(signatures: readonly Signature[]): readonly (string | undefined)[] {
  return signatures.map(issuerOf);
}

/** What the signatures are worth, one by one. */
export function verdictsOf({ signatures, over }: SignedContent, options: VerifyOptions): readonly Verdict[] {
  return signatures.map((signature) => judge(signature, over(signature.type), options));
}

function overFile(content: Uint8Array): SignedContent["over"] {
  return (type) => {
    if (type === signatureType.binary) return content;
    return type === signatureType.text ? canonicalText(content) : undefined;
  };
}
