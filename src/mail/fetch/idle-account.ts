import type { Account } from "./account.ts";
import { failureReport, type AccountReport } from "./fetch-mail.ts";
import { pollAndWait, type PollOptions, type PollReport } from "./poll-account.ts";

export interface IdleOptions extends PollOptions {
  readonly signal: AbortSignal;
  readonly onPolled: (report: PollReport) => Promise<void>;
}

/** Waits for mail in all folders of an account, a connection each, until the signal is given or one fails: why it failed. */
export async function idleAccount(account: Account, options: IdleOptions): Promise<AccountReport | undefined> {
  const folders = account.folders.length === 0 ? ["INBOX"] : account.folders;
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const failures: AccountReport[] = [];
  const work = async (folder: string): Promise<void> => {
    try {
      await pollAndWait(account, folder, { ...options, signal });
    } catch (error) {
      if (!signal.aborted) failures.push(failureReport(account, [], error));
      stop.abort();
    }
  };
  await Promise.all(folders.map(work));
  return failures[0];
}
