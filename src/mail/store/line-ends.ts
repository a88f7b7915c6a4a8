const lineFeed = 0x0a;
const carriageReturn = 0x0d;
/** Of what is longer no string is made. */
const longestString = 0x1000_0000;

/** How large a message is on the wire, where every line ends in CRLF. */
export function wireBytes(content: Uint8Array): number {
  const bytes = bufferOf(content);
  let count = 0;
  for (let at = bytes.indexOf(lineFeed); at !== -1; at = bytes.indexOf(lineFeed, at + 1)) {
    if (bytes[at - 1] !== carriageReturn) count++;
  }
  return content.length + count;
}

/** As it is on the wire; the same bytes where they are so already. */
export function toWire(content: Uint8Array): Uint8Array {
  const bytes = bufferOf(content);
  // As nearly all files are. Going through a string takes a tenth of the time of a loop.
  if (bytes.length < longestString && !bytes.includes(carriageReturn)) {
    if (!bytes.includes(lineFeed)) return content;
    return Buffer.from(bytes.toString("latin1").replaceAll("\n", "\r\n"), "latin1");
  }
  const wireLength = wireBytes(content);
  if (wireLength === content.length) return content;
  const wire = Buffer.allocUnsafe(wireLength);
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
  const bytes = bufferOf(content);
  if (!bytes.includes(carriageReturn)) return content;
  if (bytes.includes("\r\r\n")) return toWire(content);
  if (bytes.length < longestString) return Buffer.from(bytes.toString("latin1").replaceAll("\r\n", "\n"), "latin1");
  const file = Buffer.allocUnsafe(content.length);
  let to = 0;
  for (let at = 0; at < content.length; at++) {
    const byte = content[at] ?? 0;
    if (byte === carriageReturn && content[at + 1] === lineFeed) continue;
    file[to++] = byte;
  }
  return file.subarray(0, to);
}

function bufferOf(content: Uint8Array): Buffer {
  return Buffer.from(content.buffer, content.byteOffset, content.byteLength);
}
