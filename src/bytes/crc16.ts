/** CRC-16 (reflected polynomial 0xA001, also called ARC), which ext4 uses for group descriptors without metadata_csum. */

const table = Uint16Array.from({ length: 256 }, (_, n) => {
  let crc = n;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ 0xa001;
  return crc;
});

/** Continues a CRC-16 over `bytes` without inversion; ext4 starts with 0xFFFF. */
export function crc16(bytes: Uint8Array, seed = 0xffff): number {
  let crc = seed;
  for (const byte of bytes) crc = (crc >>> 8) ^ (table[(crc ^ byte) & 0xff] as number);
  return crc;
}

const itutTable = Uint16Array.from({ length: 256 }, (_, n) => {
  let crc = n << 8;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021;
  return crc;
});

/** CRC-16 of the polynomial 0x1021, starting with 0 (also called XMODEM), which UDF uses for descriptors (ECMA-167 §7.2.6). */
export function crc16Itut(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) crc = ((crc << 8) & 0xffff) ^ (itutTable[(crc >>> 8) ^ byte] as number);
  return crc;
}
