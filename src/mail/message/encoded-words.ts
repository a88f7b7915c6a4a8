import { decodeCharset } from "./charset.ts";
import { decodeBase64, hexByte } from "./transfer-encoding.ts";

/** RFC 2047 §2; RFC 2231 §5 adds a language to the charset. Blanks in the text are wrong, and met. */
const word = /=\?([^?*\s]{1,40})(?:\*[^?\s]{0,40})?\?([bq])\?([^?\r\n]*)\?=/gi;

/** Text with its encoded words (RFC 2047) decoded. What cannot be decoded is left as it is. */
export function decodeWords(text: string): string {
  if (!text.includes("=?")) return text;
  let result = "";
  let at = 0;
  // Words side by side in one charset are decoded together: some programs cut characters in two.
  let open: { readonly charset: string; readonly bytes: Uint8Array[] } | undefined;
  const close = (): void => {
    if (open !== undefined) result += decodeCharset(Buffer.concat(open.bytes), open.charset);
    open = undefined;
  };
  for (const match of text.matchAll(word)) {
    const [whole, charset = "", encoding = "", encoded = ""] = match;
    const between = text.slice(at, match.index);
    const isBeside = open !== undefined && between.trim() === "";
    if (!isBeside || open?.charset !== charset.toLowerCase()) close();
    if (!isBeside) result += between;
    open ??= { charset: charset.toLowerCase(), bytes: [] };
    open.bytes.push(encoding.toLowerCase() === "b" ? decodeBase64(Buffer.from(encoded, "latin1")) : decodeQ(encoded));
    at = match.index + whole.length;
  }
  close();
  return result + text.slice(at);
}

/** RFC 2047 §4.2. */
function decodeQ(encoded: string): Uint8Array {
  const plain = encoded.replaceAll("_", " ");
  const bytes = Buffer.from(plain, "utf8");
  let to = 0;
  for (let from = 0; from < bytes.length; from++) {
    const byte = bytes[from] ?? 0;
    const value = byte === 0x3d ? hexByte(bytes, from + 1) : undefined;
    bytes[to++] = value ?? byte;
    if (value !== undefined) from += 2;
  }
  return bytes.subarray(0, to);
}
