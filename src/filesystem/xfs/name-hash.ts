/** The hash of a name in the index of a directory ("Leaf Directories"): seven bits to a byte, going round. */
export function hashOfName(name: Uint8Array): number {
  let hash = 0;
  let at = 0;
  const byte = (n: number): number => name[at + n] ?? 0;
  for (; name.length - at >= 4; at += 4) {
    hash = (byte(0) << 21) ^ (byte(1) << 14) ^ (byte(2) << 7) ^ byte(3) ^ turned(hash, 28);
  }
  switch (name.length - at) {
    case 3:
      return ((byte(0) << 14) ^ (byte(1) << 7) ^ byte(2) ^ turned(hash, 21)) >>> 0;
    case 2:
      return ((byte(0) << 7) ^ byte(1) ^ turned(hash, 14)) >>> 0;
    case 1:
      return (byte(0) ^ turned(hash, 7)) >>> 0;
    default:
      return hash >>> 0;
  }
}

function turned(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
