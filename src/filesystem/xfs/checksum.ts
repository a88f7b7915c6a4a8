import { crc32c } from "../../bytes/index.ts";

const zeros = new Uint8Array(4);

/** The CRC32C of a structure, with zeros where the checksum itself stands. */
export function checksumOf(bytes: Uint8Array, checksumAt: number): number {
  const before = crc32c(bytes, 0xffffffff, 0, checksumAt);
  return ~crc32c(bytes, crc32c(zeros, before), checksumAt + 4) >>> 0;
}

/** Whether the checksum at `checksumAt`, the only little-endian number there is, is right. */
export function isSealed(bytes: Uint8Array, checksumAt: number): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return view.getUint32(checksumAt, true) === checksumOf(bytes, checksumAt);
}
