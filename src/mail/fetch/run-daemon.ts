import { setTimeout } from "node:timers/promises";
import type { Account } from "./account.ts";
import { fetchMail, sumOf, type AccountReport, type FetchReport } from "./fetch-mail.ts";
import { idleAccount } from "./idle-account.ts";
import type { PollOptions } from "./poll-account.ts";

export interface DaemonOptions extends PollOptions {
  readonly signal: AbortSignal;
  /** Between two rounds; 0: one round only, and then those that wait for mail on the server (IDLE). */
  readonly everyMs: number;
  /** What came of a round, or of what an idling account was told of. */
  readonly onReport: (report: FetchReport) => Promise<void>;
}

/** A server that is not there is tried again after so long, and then after longer. */
const retryMs = 5000;
const longestRetryMs = 5 * 60_000;

/** Polls accounts again and again until the signal is given. Those that idle have a connection of their own meanwhile. */
export async function runDaemon(accounts: readonly Account[], options: DaemonOptions): Promise<void> {
  const idling = accounts.filter(({ idles }) => idles);
  const polled = accounts.filter(({ idles }) => !idles);
  await Promise.all([
    polled.length === 0 ? undefined : pollInRounds(polled, options),
    ...idling.map((one) => keepIdling(one, options)),
  ]);
}

async function pollInRounds(accounts: readonly Account[], options: DaemonOptions): Promise<void> {
  for (let round = 0; !options.signal.aborted; round += 1) {
    const due = accounts.filter(({ interval }) => round % interval === 0);
    await options.onReport(await fetchMail(due, options));
    if (options.everyMs === 0) return;
    await pause(options.everyMs, options.signal);
  }
}

async function keepIdling(account: Account, options: DaemonOptions): Promise<void> {
  const tell = (one: AccountReport): Promise<void> => options.onReport(sumOf([one]));
  for (let waitMs = retryMs; !options.signal.aborted;) {
    let hasPolled = false;
    const report = await idleAccount(account, {
      ...options,
      onPolled: async (folder) => {
        hasPolled = true;
        if (folder.fetched > 0 || folder.problems.length > 0) await tell({ account: account.name, folders: [folder] });
      },
    });
    if (options.signal.aborted) return;
    if (report !== undefined) await tell(report);
    waitMs = hasPolled ? retryMs : Math.min(longestRetryMs, waitMs * 2);
    await pause(waitMs, options.signal);
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await setTimeout(ms, undefined, { signal }).catch(() => undefined);
}
