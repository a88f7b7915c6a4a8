import * as zlib from "node:zlib";
import { Failure } from "../../base/index.ts";
import { zstdFrameBytes } from "../../tree/index.ts";
import { unpackLzo } from "./lzo.ts";

/** An extent that is packed has no more of either, packed and unpacked. */
export const packedLimitBytes = 128 * 1024;
/** What is unpacked may go on to the end of its last page, which has at most so much. */
const pageLimitBytes = 64 * 1024;

const kinds = { none: 0, zlib: 1, lzo: 2, zstd: 3 } as const;
export const isPacked = (kind: number): boolean => kind !== kinds.none;

/** Unpacks an extent to as many bytes as it is said to have; what it lacks is zeros. Throws `damaged` where it cannot be unpacked. */
export function unpack(kind: number, packed: Uint8Array, memoryBytes: number, sectorBytes: number): Uint8Array {
  if (memoryBytes > packedLimitBytes || packed.length > packedLimitBytes) {
    throw new Failure("damaged", `${packed.length} packed bytes cannot stand for ${memoryBytes}`);
  }
  const whole = new Uint8Array(memoryBytes);
  whole.set(unpackBy(kind, packed, sectorBytes).subarray(0, memoryBytes));
  return whole;
}

function unpackBy(kind: number, packed: Uint8Array, sectorBytes: number): Uint8Array {
  const maxOutputLength = packedLimitBytes + pageLimitBytes;
  try {
    if (kind === kinds.zlib) return zlib.inflateSync(packed, { maxOutputLength });
    if (kind === kinds.zstd) return zlib.zstdDecompressSync(zstdFrame(packed), { maxOutputLength });
    if (kind === kinds.lzo) return unpackLzo(packed, sectorBytes, maxOutputLength);
  } catch (cause) {
    if (cause instanceof Failure) throw cause;
    throw new Failure("damaged", "its compressed data cannot be unpacked", { cause });
  }
  throw new Failure("unsupported", `it is compressed in a way that is not known, ${kind}`);
}

/** One frame; behind it are zeros to the end of the sector, which Node takes for another one. */
function zstdFrame(packed: Uint8Array): Uint8Array {
  return packed.subarray(0, zstdFrameBytes(Buffer.from(packed.buffer, packed.byteOffset, packed.length)));
}
