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

export interface PackAnswer {
  readonly packedBytes: number;
  /** As `sealAndSum` has it. */
  readonly sum: number;
}

/** Puts what a part is packed to in its place, and tells the length of that. */
export async function packInPlace(
  packer: PartPacker,
  { buffer, lengthBytes, sealed }: PackRequest,
): Promise<PackAnswer> {
  const { packed, sum } = await packer.pack(Buffer.from(buffer, 0, lengthBytes), sealed);
  if (packed.buffer !== buffer) new Uint8Array(buffer).set(packed);
  return { packedBytes: packed.length, sum };
}

const checksumBytes = 4;

/**
 * Puts the checksums of a part in their places, as partclone has them: CRC-32 without the last inversion. Gives one of all
 * its bytes, or of these checksums where there are any: it changes where the part does.
 */
export function sealAndSum(part: Buffer, sealed: readonly Sealed[]): number {
  if (sealed.length === 0) return crc32(part);
  let sum = 0;
  for (const { at, lengthBytes } of sealed) {
    const end = at + lengthBytes;
    part.writeUInt32LE(~crc32(part.subarray(at, end)) >>> 0, end);
    sum = crc32(part.subarray(end, end + checksumBytes), sum);
  }
  return sum;
}

interface PackedPart {
  readonly packed: Uint8Array;
  readonly sum: number;
}

/** Packs parts one after another. Those of zeros are compressed once for each length. */
export class PartPacker {
  readonly #packing: Packing;
  readonly #zeros = new Map<number, PackedPart>();

  constructor(packing: Packing) {
    this.#packing = packing;
  }

  /** Puts the checksums in their places first. */
  async pack(part: Buffer, sealed: readonly Sealed[]): Promise<PackedPart> {
    if (sealed.length > 0 || !isZero(part)) {
      const sum = sealAndSum(part, sealed);
      return { packed: await this.#packing.pack(part), sum };
    }
    const known = this.#zeros.get(part.length) ?? {
      packed: (await this.#packing.pack(part)).slice(),
      sum: sealAndSum(part, sealed),
    };
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
