/** Text of UTF-7 (RFC 2152), which some old mail programs wrote. Not IMAP's form of it. */
export function decodeUtf7(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  return text.replaceAll(/\+([A-Za-z0-9+/]*)-?/g, (_all: string, base64: string) => {
    if (base64 === "") return "+";
    const units = Buffer.from(base64, "base64");
    const whole = units.subarray(0, units.length & ~1);
    return whole.swap16().toString("utf16le");
  });
}
