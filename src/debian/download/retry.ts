import { setTimeout as wait } from "node:timers/promises";
import { stopIfAborted } from "../../base/index.ts";
import { FetchFailure } from "./fetch-failure.ts";

export interface RetrySettings {
  /** How often a passing failure is tried again. */
  readonly retries: number;
  /** Before the first new try; doubled each time. */
  readonly delayMs: number;
}

/** Does it again, a while later, where it fails for a reason that may pass. */
export async function withRetries<T>(
  { retries, delayMs }: RetrySettings,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  for (let tried = 0; ; tried++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof FetchFailure) || !error.isPassing || tried >= retries) throw error;
      await wait(delayMs * 2 ** tried, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
      stopIfAborted(signal);
    }
  }
}
