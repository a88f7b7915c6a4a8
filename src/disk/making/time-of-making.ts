import type { Timestamp } from "../../tree/index.ts";

/** The clock, and what may stand for it. */
export interface Clock {
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  /** Seconds since 1970 that stand for now, and for every later time (SOURCE_DATE_EPOCH). */
  readonly sourceDateEpoch?: number;
}

/** The time that everything new is given. */
export function timeOfMaking({ sourceDateEpoch, nowMs }: Clock): {
  readonly now: Timestamp;
  readonly isReproducible: boolean;
} {
  if (sourceDateEpoch !== undefined) return { now: { seconds: sourceDateEpoch, nanoseconds: 0 }, isReproducible: true };
  const seconds = Math.floor(nowMs / 1000);
  const nanoseconds = Math.floor((nowMs - seconds * 1000) * 1e6);
  return { now: { seconds, nanoseconds }, isReproducible: false };
}
