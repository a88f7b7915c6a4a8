import type { MessagePart } from "./structure.ts";
import { decodeTransfer, transferEncodingOf } from "./transfer-encoding.ts";

/**
 * The content of a part for BINARY and BINARY.SIZE (RFC 3516), of which `body` are the bytes; undefined where its encoding
 * is unknown (`[UNKNOWN-CTE]`). What holds other parts is given as it is.
 */
export function binaryOf(part: MessagePart, body: Uint8Array): Uint8Array | undefined {
  if (part.parts.length > 0) return body;
  const encoding = transferEncodingOf(part.encoding);
  return encoding === undefined ? undefined : decodeTransfer(body, encoding);
}
