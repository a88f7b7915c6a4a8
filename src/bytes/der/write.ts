import { derTags } from "./read.ts";

/** One value in DER (X.690 §10.1): its tag, its length in as few bytes as it takes, its content. */
function value(tag: number, ...content: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  let lengthBytes = 0;
  for (const part of content) lengthBytes += part.length;
  let more = 0; // bytes of a length that does not fit in seven bits
  if (lengthBytes >= 0x80) for (let rest = lengthBytes; rest > 0; rest = Math.floor(rest / 256)) more++;
  const bytes = new Uint8Array(2 + more + lengthBytes);
  bytes[0] = tag;
  bytes[1] = more === 0 ? lengthBytes : 0x80 + more;
  for (let at = 1 + more, rest = lengthBytes; at > 1; at--, rest = Math.floor(rest / 256)) bytes[at] = rest % 256;
  let at = 2 + more;
  for (const part of content) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

export function derSequence(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return value(derTags.sequence, ...parts);
}

/** A SET OF: its parts in the order of their bytes (X.690 §11.6). */
export function derSet(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return value(derTags.set, ...parts.toSorted((a, b) => Buffer.compare(a, b)));
}

/** A whole number that is not negative, or one as its bytes, most significant first. */
export function derInteger(number: number | bigint | Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = typeof number === "object" ? number : bytesOfNumber(BigInt(number));
  let from = 0;
  while (from < bytes.length - 1 && bytes[from] === 0) from++;
  const digits = bytes.subarray(from);
  const isTopSet = (digits[0] ?? 0) >= 0x80;
  return value(derTags.integer, isTopSet || digits.length === 0 ? Uint8Array.of(0) : new Uint8Array(), digits);
}

function bytesOfNumber(number: bigint): Uint8Array {
  const digits = number.toString(16);
  return Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, "hex");
}

/** An object identifier of `1.2.840.113549` (X.690 §8.19). */
export function derObjectId(dotted: string): Uint8Array<ArrayBuffer> {
  const [first = 0, second = 0, ...others] = dotted.split(".").map(Number);
  const bytes = [first * 40 + second, ...others].flatMap((part) => {
    const groups = [part % 128];
    for (let rest = Math.floor(part / 128); rest > 0; rest = Math.floor(rest / 128)) groups.unshift((rest % 128) + 128);
    return groups;
  });
  return value(derTags.objectId, Uint8Array.from(bytes));
}

/** The content of an object identifier as `1.2.840.113549`; empty where it is none. */
export function objectIdText(content: Uint8Array): string {
  const parts: number[] = [];
  let part = 0;
  for (const byte of content) {
    part = part * 128 + (byte % 128);
    if (byte >= 0x80) continue;
    parts.push(part);
    part = 0;
  }
  const [first] = parts;
  if (first === undefined || !Number.isSafeInteger(parts.reduce((sum, one) => sum + one, 0))) return "";
  const root = Math.min(2, Math.floor(first / 40));
  return [root, first - root * 40, ...parts.slice(1)].join(".");
}

export function derBoolean(isTrue: boolean): Uint8Array<ArrayBuffer> {
  return value(derTags.boolean, Uint8Array.of(isTrue ? 0xff : 0));
}

export function derNull(): Uint8Array<ArrayBuffer> {
  return value(derTags.null);
}

export function derOctetString(...content: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return value(derTags.octetString, ...content);
}

/** `unusedBits` of the last byte do not belong to it. */
export function derBitString(content: Uint8Array, unusedBits = 0): Uint8Array<ArrayBuffer> {
  return value(derTags.bitString, Uint8Array.of(unusedBits), content);
}

export function derUtf8String(text: string): Uint8Array<ArrayBuffer> {
  return value(derTags.utf8String, Buffer.from(text, "utf8"));
}

/** Text in UTF-16, as PKCS #12 has names. */
export function derBmpString(text: string): Uint8Array<ArrayBuffer> {
  return value(derTags.bmpString, Buffer.from(text, "utf16le").swap16());
}

/** A time to the second: UTCTime up to 2049, GeneralizedTime from then on (RFC 5280 §4.1.2.5). */
export function derTime(time: Date): Uint8Array<ArrayBuffer> {
  const digits = time.toISOString().replaceAll(/[-:T]|\.\d+/g, "");
  const isShort = time.getUTCFullYear() >= 1950 && time.getUTCFullYear() < 2050;
  return value(
    isShort ? derTags.utcTime : derTags.generalizedTime,
    Buffer.from(isShort ? digits.slice(2) : digits, "latin1"),
  );
}

/** What stands under a number of its context: `isConstructed` where it holds values, else it is bytes. */
export function derContext(
  number: number,
  content: Uint8Array,
  { isConstructed = true }: { readonly isConstructed?: boolean } = {},
): Uint8Array<ArrayBuffer> {
  return value((isConstructed ? derTags.firstOfContext : 0x80) + number, content);
}
