import { crc32c } from "../../bytes/index.ts";
import type { ExtLayout } from "./layout.ts";

/** The checksum of the bytes of a bitmap that count. */
export function bitmapChecksum(layout: ExtLayout, bytes: Uint8Array): number {
  return crc32c(bytes, layout.checksumSeed);
}

/** A descriptor of 32 bytes has room for the lower half only. */
export function isBitmapChecksum(layout: ExtLayout, sum: number, stored: number): boolean {
  return layout.descriptorSizeBytes >= 64 ? sum === stored : (sum & 0xffff) === stored;
}
