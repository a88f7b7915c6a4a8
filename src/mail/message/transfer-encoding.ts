/** How the body of a part is encoded (RFC 2045 §6.1), as far as it can be decoded here; others are refused. */
export type TransferEncoding = "identity" | "base64" | "quoted-printable";

/** What a name of the header means; undefined for what is unknown (RFC 3516 §3: such a part cannot be given as BINARY). */
export function transferEncodingOf(name: string): TransferEncoding | undefined {
  switch (name) {
    case "7bit":
    case "8bit":
    case "binary":
      return "identity";
    case "base64":
    case "quoted-printable":
      return name;
    default:
      return undefined;
  }
}

/** The content of a body in its encoding. Damage is forgiven as RFC 2045 advises: nothing is thrown for it. */
export function decodeTransfer(bytes: Uint8Array, encoding: TransferEncoding): Uint8Array {
  switch (encoding) {
    case "identity":
      return bytes;
    case "base64":
      return decodeBase64(bytes);
    default:
      return decodeQuotedPrintable(bytes);
  }
}

const notBase64 = 0xff;
const padding = 0xfe;
const base64Values = base64Table();

function base64Table(): Uint8Array {
  const table = new Uint8Array(256).fill(notBase64);
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (let value = 0; value < 64; value++) table[alphabet.charCodeAt(value)] = value;
  table[0x3d] = padding;
  return table;
}

/**
 * RFC 2045 §6.8: what is not of the alphabet is passed over. Texts put together of several that were each padded, as
 * some programs make them, are read to the end.
 */
export function decodeBase64(bytes: Uint8Array): Uint8Array {
  const result = Buffer.allocUnsafe(Math.ceil((bytes.length * 3) / 4) + 3);
  let to = 0;
  let bits = 0;
  let digits = 0;
  for (let from = 0; from < bytes.length; from++) {
    const value = base64Values[bytes[from] ?? 0] ?? notBase64;
    if (value < 64) {
      bits = (bits << 6) | value;
      if (++digits < 4) continue;
      result[to++] = bits >> 16;
      result[to++] = bits >> 8;
      result[to++] = bits;
      bits = 0;
      digits = 0;
    } else if (value === padding && digits > 0) {
      to += putRest(result, to, bits, digits);
      bits = 0;
      digits = 0;
    }
  }
  to += putRest(result, to, bits, digits);
  return result.subarray(0, to);
}

/** The bytes that two or three digits say, and how many these are. */
function putRest(result: Uint8Array, to: number, bits: number, digits: number): number {
  if (digits < 2) return 0;
  const whole = bits << (6 * (4 - digits));
  result[to] = whole >> 16;
  if (digits === 3) result[to + 1] = whole >> 8;
  return digits - 1;
}

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const equals = 0x3d;

/** RFC 2045 §6.7: blanks at the end of a line are taken out, a line that ends in `=` goes on in the next one. */
function decodeQuotedPrintable(bytes: Uint8Array): Uint8Array {
  const result = Buffer.allocUnsafe(bytes.length);
  let to = 0;
  /** Up to here nothing may be taken away: it is of an earlier line, or was encoded. */
  let kept = 0;
  for (let from = 0; from < bytes.length; from++) {
    const byte = bytes[from] ?? 0;
    if (byte === equals) {
      const value = hexByte(bytes, from + 1);
      const afterBreak = value === undefined ? softBreakEnd(bytes, from + 1) : undefined;
      if (value !== undefined) {
        result[to++] = value;
        from += 2;
      } else if (afterBreak === undefined) result[to++] = byte;
      else from = afterBreak - 1;
      kept = to;
    } else if (byte === lineFeed) {
      const hadReturn = to > kept && result[to - 1] === carriageReturn;
      if (hadReturn) to--;
      while (to > kept && (result[to - 1] === 0x20 || result[to - 1] === 0x09)) to--;
      if (hadReturn) result[to++] = carriageReturn;
      result[to++] = byte;
      kept = to;
    } else result[to++] = byte;
  }
  return result.subarray(0, to);
}

/** Where the line goes on after a `=`; undefined where this `=` does not end the line. */
function softBreakEnd(bytes: Uint8Array, from: number): number | undefined {
  let at = from;
  while (bytes[at] === 0x20 || bytes[at] === 0x09) at++;
  if (at === bytes.length) return at;
  if (bytes[at] === carriageReturn && bytes[at + 1] === lineFeed) return at + 2;
  return bytes[at] === lineFeed ? at + 1 : undefined;
}

/** The byte that two hexadecimal digits say. */
export function hexByte(bytes: Uint8Array, at: number): number | undefined {
  const high = hexDigit(bytes[at]);
  const low = hexDigit(bytes[at + 1]);
  return high === undefined || low === undefined ? undefined : high * 16 + low;
}

function hexDigit(code: number | undefined): number | undefined {
  if (code === undefined) return undefined;
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : undefined;
}
