import type { Timestamp } from "../../tree/index.ts";

const nanosecondsInSecond = 1_000_000_000n;
/** Large times count from the beginning of small ones. */
const bigTimeEpoch = 2n ** 31n;

/** Nanoseconds since 1901 in 64 bits, or seconds and nanoseconds since 1970 in 32 bits each. */
export function decodeTime(raw: bigint, isBig: boolean): Timestamp {
  if (isBig) {
    const seconds = raw / nanosecondsInSecond - bigTimeEpoch;
    return { seconds: Number(seconds), nanoseconds: Number(raw % nanosecondsInSecond) };
  }
  const nanoseconds = Number(raw & 0xffffffffn);
  return { seconds: Number(BigInt.asIntN(32, raw >> 32n)), nanoseconds: nanoseconds < 1e9 ? nanoseconds : 0 };
}
