/**
 * The customary CRC-32 (reflected polynomial 0xEDB88320), for a few bytes. Node's own is quicker for many, and takes
 * longer to load than all that a short command has to do.
 */

const polynomial = 0xedb88320;
const table = buildTable();

function buildTable(): Uint32Array {
  const entries = new Uint32Array(256);
  for (let n = 0; n < 256; n++) {
    let crc = n;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ polynomial;
    entries[n] = crc;
  }
  return entries;
}

/** `before` is the checksum of what comes before these bytes. */
export function crc32(bytes: Uint8Array, before = 0): number {
  let crc = ~before;
  for (let n = 0; n < bytes.length; n++) {
    crc = (crc >>> 8) ^ (table[(crc ^ (bytes[n] as number)) & 0xff] as number);
  }
  return ~crc >>> 0;
}
