const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/** How large a message is on the wire, where every line ends in CRLF. */
export function wireBytes(content: Uint8Array): number {
  return content.length + loneLineFeeds(content);
}

/** As it is on the wire; the same bytes where they are so already. */
export function toWire(content: Uint8Array, sizeBytes = wireBytes(content)): Uint8Array {
  if (sizeBytes === content.length) return content;
  const wire = Buffer.allocUnsafe(sizeBytes);
  let to = 0;
  let before = 0;
  for (let at = 0; at < content.length; at++) {
    const byte = content[at] ?? 0;
    if (byte === lineFeed && before !== carriageReturn) wire[to++] = carriageReturn;
    wire[to++] = byte;
    before = byte;
  }
  return wire;
}

/**
 * With lines that end in LF, as files have them. Where a line ends in CR CR LF, of which LF alone would lose one, all
 * lines keep what they have on the wire.
 */
export function toFile(content: Uint8Array): Uint8Array {
  if (!content.includes(carriageReturn)) return content;
  if (Buffer.from(content.buffer, content.byteOffset, content.length).includes("\r\r\n")) return toWire(content);
  const file = Buffer.allocUnsafe(content.length);
  let to = 0;
  for (let at = 0; at < content.length; at++) {
    const byte = content[at] ?? 0;
    if (byte === carriageReturn && content[at + 1] === lineFeed) continue;
    file[to++] = byte;
  }
  return file.subarray(0, to);
}

function loneLineFeeds(content: Uint8Array): number {
  let count = 0;
  let before = 0;
  for (let at = 0; at < content.length; at++) {
    const byte = content[at] ?? 0;
    if (byte === lineFeed && before !== carriageReturn) count++;
    before = byte;
  }
  return count;
}
