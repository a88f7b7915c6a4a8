import { decodeCharset } from "./charset.ts";
import { textOfHtml } from "./html-text.ts";
import { parameterValue } from "./parameter-value.ts";
import type { MessagePart } from "./structure.ts";
import { decodeTransfer, transferEncodingOf } from "./transfer-encoding.ts";

/**
 * What a reader sees of a `text/*` part, of which `body` is the beginning or all: decoded, without the tags of HTML. Empty
 * where its encoding is unknown.
 */
export function textOfPart(part: MessagePart, body: Uint8Array, limit?: number): string {
  const encoding = transferEncodingOf(part.encoding);
  if (encoding === undefined) return "";
  const text = decodeCharset(decodeTransfer(body, encoding), parameterValue(part.parameters, "charset"));
  return part.subtype === "html" ? textOfHtml(text, limit) : text;
}
