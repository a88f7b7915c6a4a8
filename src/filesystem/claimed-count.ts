import type { FieldType } from "../bytes/index.ts";

function claimedField(littleEndian: boolean): FieldType<number> {
  return {
    sizeBytes: 8,
    decode: (view, at) => Number(view.getBigUint64(at, littleEndian)),
    encode: (view, at, value) => view.setBigUint64(at, BigInt(value), littleEndian),
  };
}

/**
 * A count of 64 bits as a damaged structure may have it: above 2⁵³ it is rounded, and so larger than any device,
 * which is all that is asked of it.
 */
export const claimed64: FieldType<number> = claimedField(true);
export const claimed64be: FieldType<number> = claimedField(false);
