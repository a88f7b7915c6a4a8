import { decodeName } from "../../bytes/index.ts";

/**
 * The name that these UTF-16 units spell. A lone surrogate becomes what its three bytes in UTF-8 would, so that every
 * name is told from every other.
 */
export function decodeUnits(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length & ~1).toString("utf16le");
  if (text.isWellFormed()) return text;
  const pieces: Buffer[] = [];
  for (const character of text) {
    const unit = character.charCodeAt(0);
    if (character.isWellFormed()) pieces.push(Buffer.from(character));
    else pieces.push(Buffer.of(0xe0 | (unit >>> 12), 0x80 | ((unit >>> 6) & 0x3f), 0x80 | (unit & 0x3f)));
  }
  return decodeName(Buffer.concat(pieces));
}
