/**
 * File names are bytes on disk and strings in this program. UTF-8 becomes text; a byte that is not part of
 * valid UTF-8 becomes the lone surrogate U+DC00+byte (as in Python's PEP 383), so that every name survives
 * both ways unchanged.
 */

const escapeBase = 0xdc00;
const loneEscape = /[\udc80-\udcff]/;

/** The name that these bytes spell; `encodeName` gives the same bytes back. */
export function decodeName(bytes: Uint8Array, start = 0, end = bytes.length): string {
  const raw = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start);
  const text = raw.toString("utf8");
  if (!text.includes("�")) return text;
  return decodeWithEscapes(raw);
}

function decodeWithEscapes(raw: Buffer): string {
  let name = "";
  for (let at = 0; at < raw.length;) {
    const length = utf8LengthAt(raw, at);
    if (length === 0) {
      name += String.fromCharCode(escapeBase + (raw[at] as number));
      at++;
    } else {
      name += raw.toString("utf8", at, at + length);
      at += length;
    }
  }
  return name;
}

/** How many bytes the valid UTF-8 sequence at `at` has, 0 where there is none. */
function utf8LengthAt(raw: Buffer, at: number): number {
  const first = raw[at] as number;
  if (first < 0x80) return 1;
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  const piece = raw.subarray(at, at + length);
  if (piece.length < length) return 0;
  return Buffer.from(piece.toString("utf8"), "utf8").equals(piece) ? length : 0;
}

/** The bytes of a name, as they stand on disk. */
export function encodeName(name: string): Buffer {
  if (!loneEscape.test(name)) return Buffer.from(name, "utf8");
  const pieces: Buffer[] = [];
  for (const character of name) {
    const code = character.codePointAt(0) ?? 0;
    const isEscape = code >= escapeBase + 0x80 && code <= escapeBase + 0xff;
    pieces.push(isEscape ? Buffer.of(code - escapeBase) : Buffer.from(character, "utf8"));
  }
  return Buffer.concat(pieces);
}

/** The name fit for a terminal: control characters and escaped bytes are shown as `\xNN`. */
export function printableName(name: string): string {
  // oxlint-disable-next-line no-control-regex
  return name.replace(/[\u0000-\u001f\u007f-\u009f\udc80-\udcff]/g, (character) => {
    return `\\x${(character.charCodeAt(0) & 0xff).toString(16).padStart(2, "0")}`;
  });
}
