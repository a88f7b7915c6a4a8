const lineFeed = 0x0a;
const colon = 0x3a;

/**
 * The fields of a header with these names, or all others, as they are, and an empty line (RFC 9051 §6.4.5.1); that is not
 * put behind all others where the header has none.
 */
export function filterHeader(header: Uint8Array, names: readonly string[], areLeftOut: boolean): Uint8Array {
  const wanted = new Set(names.map((name) => name.toLowerCase()));
  const bytes = Buffer.from(header.buffer, header.byteOffset, header.byteLength);
  const kept: Uint8Array[] = [];
  let isKept = false;
  let endsAsWanted = !areLeftOut;
  let from = 0;
  while (from < bytes.length) {
    const found = bytes.indexOf(lineFeed, from);
    const end = found === -1 ? bytes.length : found + 1;
    const first = bytes[from];
    if (first === lineFeed || (first === 0x0d && end === from + 2)) {
      endsAsWanted = true;
      break;
    }
    if (first !== 0x20 && first !== 0x09) isKept = wanted.has(nameOf(bytes, from, end)) !== areLeftOut;
    if (isKept) kept.push(bytes.subarray(from, end));
    from = end;
  }
  if (endsAsWanted) kept.push(Buffer.from("\r\n"));
  return Buffer.concat(kept);
}

/** Names that are asked for are shorter than this: a line without a colon is not read to its end. */
const longestName = 1000;

function nameOf(bytes: Buffer, from: number, end: number): string {
  const line = bytes.subarray(from, Math.min(end, from + longestName));
  const at = line.indexOf(colon);
  return at === -1 ? "" : line.toString("latin1", 0, at).trimEnd().toLowerCase();
}
