import { decodeCharset } from "./charset.ts";
import { decodeWords } from "./encoded-words.ts";
import type { Parameters } from "./structure.ts";
import { hexByte } from "./transfer-encoding.ts";

/** A parameter decoded (RFC 2231 §4; RFC 2047 too, which is wrong and common); undefined where there is none. */
export function parameterValue(parameters: Parameters, name: string): string | undefined {
  const starred = `${name}*`;
  for (const [key, value] of parameters) {
    if (key === starred) return decodeExtended(value);
  }
  const plain = parameters.find(([key]) => key === name)?.[1];
  return plain === undefined ? undefined : decodeWords(plain);
}

/** `utf-8'en'caf%C3%A9`. */
function decodeExtended(value: string): string {
  const match = /^([^']*)'[^']*'([^]*)$/.exec(value);
  const [, charset = "", encoded = value] = match ?? [];
  const bytes = Buffer.from(encoded, "utf8");
  let to = 0;
  for (let from = 0; from < bytes.length; from++) {
    const byte = bytes[from] ?? 0;
    const decoded = byte === 0x25 ? hexByte(bytes, from + 1) : undefined;
    bytes[to++] = decoded ?? byte;
    if (decoded !== undefined) from += 2;
  }
  return decodeCharset(bytes.subarray(0, to), charset);
}
