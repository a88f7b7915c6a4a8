/** What the bytes from 0x80 on spell in code page 437, which Linux and Windows in English take short names for. */
const upperHalf =
  "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0";

/** The text that bytes in code page 437 spell. */
export function decodeOem(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte < 0x80 ? String.fromCharCode(byte) : (upperHalf[byte - 0x80] ?? "");
  return text;
}

/** The bytes of a text in code page 437; undefined where it has a character that is not in it. */
export function encodeOem(text: string): Uint8Array | undefined {
  const bytes: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    const byte = code < 0x80 ? code : upperHalf.indexOf(character) + 0x80;
    if (byte < 0x80 && code >= 0x80) return undefined;
    bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}
