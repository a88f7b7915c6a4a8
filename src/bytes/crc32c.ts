/** CRC32C (Castagnoli, reflected polynomial 0x82F63B78), eight bytes a step. Node has only the other CRC-32. */

const polynomial = 0x82f63b78;
const tables = buildTables();

function buildTables(): readonly Uint32Array[] {
  const all = Array.from({ length: 8 }, () => new Uint32Array(256));
  const first = all[0] as Uint32Array;
  for (let n = 0; n < 256; n++) {
    let crc = n;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ polynomial;
    first[n] = crc;
  }
  for (let step = 1; step < 8; step++) {
    const before = all[step - 1] as Uint32Array;
    const table = all[step] as Uint32Array;
    for (let n = 0; n < 256; n++) {
      const crc = before[n] as number;
      table[n] = (crc >>> 8) ^ (first[crc & 0xff] as number);
    }
  }
  return all;
}

const [t0, t1, t2, t3, t4, t5, t6, t7] = tables as unknown as readonly [
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
];

/**
 * Continues a CRC32C over `bytes[start..end)` without inversion before or after, as ext4 and JBD2 use it:
 * start with 0xFFFFFFFF. The customary CRC32C is `~crc32c(bytes)`.
 */
export function crc32c(bytes: Uint8Array, seed = 0xffffffff, start = 0, end = bytes.length): number {
  let crc = seed >>> 0;
  let at = start;
  for (const last = end - 7; at < last; at += 8) {
    const low =
      crc ^
      ((bytes[at] as number) |
        ((bytes[at + 1] as number) << 8) |
        ((bytes[at + 2] as number) << 16) |
        ((bytes[at + 3] as number) << 24));
    crc =
      (t7[low & 0xff] as number) ^
      (t6[(low >>> 8) & 0xff] as number) ^
      (t5[(low >>> 16) & 0xff] as number) ^
      (t4[low >>> 24] as number) ^
      (t3[bytes[at + 4] as number] as number) ^
      (t2[bytes[at + 5] as number] as number) ^
      (t1[bytes[at + 6] as number] as number) ^
      (t0[bytes[at + 7] as number] as number);
  }
  for (; at < end; at++) crc = (crc >>> 8) ^ (t0[(crc ^ (bytes[at] as number)) & 0xff] as number);
  return crc >>> 0;
}

/** Which entry of the first table has a given highest byte: each has its own. */
const entryOfHighByte = buildReverse();

function buildReverse(): Uint8Array {
  const entries = new Uint8Array(256);
  for (let n = 0; n < 256; n++) entries[(t0[n] as number) >>> 24] = n;
  return entries;
}

/**
 * The four bytes that, put at `at`, give `bytes` the checksum `wanted` (of `crc32c(bytes, seed)`); what stands at
 * `at` does not matter. A CRC is linear: it is run back from its end to behind the four bytes, and forth to them.
 */
export function crc32cCompensation(bytes: Uint8Array, at: number, wanted: number, seed = 0xffffffff): Uint8Array {
  let after = wanted >>> 0;
  for (let n = bytes.length - 1; n >= at + 4; n--) after = stepBack(after, bytes[n] as number);
  for (let n = 0; n < 4; n++) after = stepBack(after, 0);
  const word = (after ^ crc32c(bytes, seed, 0, at)) >>> 0;
  return Uint8Array.of(word, word >>> 8, word >>> 16, word >>> 24);
}

/** The checksum before the byte that led to this one. */
function stepBack(crc: number, byte: number): number {
  const entry = entryOfHighByte[crc >>> 24] as number;
  return ((((crc ^ (t0[entry] as number)) << 8) | (entry ^ byte)) & 0xffffffff) >>> 0;
}
