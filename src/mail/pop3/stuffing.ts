const dot = 0x2e;
const lineEnd = Buffer.from("\r\n");
const lineEndAndDot = Buffer.from("\r\n.");

/**
 * A message as the body of an answer (RFC 1939 §3): lines that begin with a dot get another before it, and a line with
 * only a dot ends it. Parts of the message itself are not copied.
 */
export function* stuffed(message: Uint8Array): Generator<Uint8Array> {
  const bytes = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
  let from = 0;
  if (bytes[0] === dot) yield Buffer.from(".");
  for (let at = bytes.indexOf(lineEndAndDot); at !== -1; at = bytes.indexOf(lineEndAndDot, at + 2)) {
    yield bytes.subarray(from, at + 3);
    from = at + 2; // the dot once more
  }
  yield bytes.subarray(from);
  const endsInLine = bytes.length >= 2 && bytes.subarray(-2).equals(lineEnd);
  yield Buffer.from(endsInLine || bytes.length === 0 ? ".\r\n" : "\r\n.\r\n");
}

/** Header, blank line and the first lines of the body (RFC 1939 §7, TOP). */
export function topOf(message: Uint8Array, bodyLines: number): Uint8Array {
  const bytes = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
  const blank = bytes.subarray(0, 2).equals(lineEnd) ? 0 : bytes.indexOf("\r\n\r\n") + 2;
  if (blank === 1) return bytes; // a header without an end
  let end = blank + 2;
  for (let left = bodyLines; left > 0 && end < bytes.length; left--) {
    const next = bytes.indexOf(lineEnd, end);
    if (next === -1) return bytes;
    end = next + 2;
  }
  return bytes.subarray(0, end);
}
