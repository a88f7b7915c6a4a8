import { crc32 } from "node:zlib";

/** Continues a CRC-32 over `bytes` without inversion before or after, as f2fs and LVM use it. */
export function rawCrc32(bytes: Uint8Array, seed: number): number {
  return ~crc32(bytes, ~seed >>> 0) >>> 0;
}
