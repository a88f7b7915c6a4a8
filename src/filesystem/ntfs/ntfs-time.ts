import type { Timestamp } from "../../tree/index.ts";

/** Seconds from 1601 to 1970. */
const secondsTo1970 = 11_644_473_600n;
const ticksPerSecond = 10_000_000n;

/** A time counted in 100 ns since 1601, UTC. */
export function decodeTicks(ticks: bigint): Timestamp {
  return {
    seconds: Number(ticks / ticksPerSecond - secondsTo1970),
    nanoseconds: Number(ticks % ticksPerSecond) * 100,
  };
}
