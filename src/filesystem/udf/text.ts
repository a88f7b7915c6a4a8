/** The compression ids of OSTA CS0 (UDF 2.60 §2.1.1): bytes of Latin-1, or UTF-16, big-endian. */
const eightBits = 8;
const sixteenBits = 16;

/** Text in OSTA CS0; undefined where it is in no form that is known. What is not valid becomes U+FFFD. */
export function decodeText(bytes: Uint8Array): string | undefined {
  const characters = Buffer.from(bytes.subarray(1));
  if (bytes[0] === eightBits) return characters.toString("latin1");
  if (bytes[0] !== sixteenBits) return undefined;
  return characters
    .subarray(0, characters.length & ~1)
    .swap16()
    .toString("utf16le")
    .toWellFormed();
}

/** Text in a field of fixed size, whose last byte has its length (UDF 2.60 §2.1.3). */
export function decodeField(bytes: Uint8Array): string {
  const lengthBytes = Math.min(bytes.at(-1) ?? 0, bytes.length - 1);
  return lengthBytes === 0 ? "" : (decodeText(bytes.subarray(0, lengthBytes)) ?? "").replace(/\0+$/, "");
}

/** A name as a path can have it: with `_` for what cannot be in one, as Linux shows it. */
export function pathName(text: string): string {
  return text.replace(/[/\0]/g, "_");
}

/** The UUID that blkid makes of a volume set id: its first 16 digits, or bytes as digits. */
export function uuidOf(volumeSetId: Uint8Array): string | undefined {
  const text = Buffer.from(decodeField(volumeSetId), "utf8").subarray(0, 16);
  if (text.length < 8) return undefined;
  const digits = /^[0-9a-f]*/i.exec(text.toString("latin1"))?.[0].length ?? 0;
  if (digits >= 16) return text.toString("latin1").toLowerCase();
  if (digits < 8) return text.subarray(0, 8).toString("hex");
  return text.toString("latin1", 0, 8).toLowerCase() + text.subarray(8, 12).toString("hex");
}
