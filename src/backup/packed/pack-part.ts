import { crc32 } from "node:zlib";
import type { Packing } from "./packing.ts";

/** A stretch of a part behind which its checksum has its place. */
export interface Sealed {
  readonly at: number;
  readonly lengthBytes: number;
}

export interface PackRequest {
  /** Has the part, and is long enough for what `packedLimitBytes` tells. */
  readonly buffer: SharedArrayBuffer;
  readonly lengthBytes: number;
  readonly sealed: readonly Sealed[];
}

/** What a part may come to: whatever packs it adds at most so much to what it cannot make smaller. */
export function packedLimitBytes(lengthBytes: number): number {
  return lengthBytes + Math.ceil(lengthBytes / 64) + 1024;
}

/** Puts what a part is packed to in its place, and tells the length of that. */
export async function packInPlace(packer: PartPacker, { buffer, lengthBytes, sealed }: PackRequest): Promise<number> {
  const packed = await packer.pack(Buffer.from(buffer, 0, lengthBytes), sealed);
  if (packed.buffer !== buffer) new Uint8Array(buffer).set(packed);
  return packed.length;
}

/** Packs parts one after another. Those of zeros are compressed once for each length. */
export class PartPacker {
  readonly #packing: Packing;
  readonly #zeros = new Map<number, Uint8Array>();

  constructor(packing: Packing) {
    this.#packing = packing;
  }

  /** Puts the checksums in their places first, as partclone has them: CRC-32 without the last inversion. */
  async pack(part: Buffer, sealed: readonly Sealed[]): Promise<Uint8Array> {
    for (const { at, lengthBytes } of sealed) {
      part.writeUInt32LE(~crc32(part.subarray(at, at + lengthBytes)) >>> 0, at + lengthBytes);
    }
    if (!isZero(part)) return this.#packing.pack(part);
    const known = this.#zeros.get(part.length) ?? (await this.#packing.pack(part)).slice();
    this.#zeros.set(part.length, known);
    return known;
  }
}

const zeroPage = Buffer.alloc(64 * 1024);

export function isZero(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at += zeroPage.length) {
    const count = Math.min(zeroPage.length, bytes.length - at);
    if (zeroPage.compare(bytes, at, at + count, 0, count) !== 0) return false;
  }
  return true;
}
