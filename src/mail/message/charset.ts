import { textOfBytes } from "./header.ts";
import { decodeUtf7 } from "./utf7.ts";

/** Names in mail that `TextDecoder` does not know, and what they mean, or nearly. */
const otherNames: ReadonlyMap<string, string> = new Map([
  ["cp932", "shift_jis"],
  ["cp936", "gbk"],
  ["ms936", "gbk"],
  ["cp949", "euc-kr"],
  ["uhc", "euc-kr"],
  ["cp50220", "iso-2022-jp"],
  ["cp50221", "iso-2022-jp"],
  ["iso-2022-jp-1", "iso-2022-jp"],
  ["iso-2022-jp-2", "iso-2022-jp"],
  ["iso-2022-jp-3", "iso-2022-jp"],
  ["iso-2022-jp-ms", "iso-2022-jp"],
  ["win-1251", "windows-1251"],
  ["latin-1", "iso-8859-1"],
]);

/** Said of everything, by programs that do not know better. */
const saysNothing: ReadonlySet<string> = new Set(["", "us-ascii", "ascii", "646", "unknown-8bit", "x-unknown"]);

/**
 * Text of bytes in a charset, as mail names it. What says nothing or is unknown is read as UTF-8 where it is that, else as
 * windows-1252. Bytes that are no text of that charset become U+FFFD.
 */
export function decodeCharset(bytes: Uint8Array, charset: string | undefined): string {
  const name = (charset ?? "").toLowerCase().trim();
  if (name === "utf-7" || name === "unicode-1-1-utf-7") return decodeUtf7(bytes);
  const decoder = saysNothing.has(name) ? undefined : decoderOf(otherNames.get(name) ?? name);
  if (decoder !== undefined) return decoder.decode(bytes);
  return textOfBytes(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
}

/** Whether text in this charset can be read: for CHARSET of SEARCH. */
export function isKnownCharset(charset: string): boolean {
  const name = charset.toLowerCase();
  return name === "us-ascii" || name === "utf-7" || decoderOf(otherNames.get(name) ?? name) !== undefined;
}

const decoders = new Map<string, InstanceType<typeof TextDecoder>>();

function decoderOf(name: string): InstanceType<typeof TextDecoder> | undefined {
  const known = decoders.get(name);
  if (known !== undefined) return known;
  try {
    const decoder = new TextDecoder(name);
    decoders.set(name, decoder);
    return decoder;
  } catch {
    return undefined;
  }
}
