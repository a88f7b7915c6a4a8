import { Failure, type FailureCode } from "../../base/index.ts";
import type { Account } from "./account.ts";
import { pollFolder, type PollOptions, type PollReport } from "./poll-account.ts";

/** What came of one account. */
export interface AccountReport {
  readonly account: string;
  readonly folders: readonly PollReport[];
  /** Why it ended early. */
  readonly failure?: { readonly code: FailureCode; readonly message: string; readonly hint?: string };
}

export interface FetchReport {
  readonly fetched: number;
  readonly fetchedBytes: number;
  readonly deleted: number;
  readonly accounts: readonly AccountReport[];
}

/** So many servers are spoken with at the same time. */
const parallelAccounts = 8;

/** Polls all accounts once; one that fails does not keep the others from being polled. */
export async function fetchMail(accounts: readonly Account[], options: PollOptions): Promise<FetchReport> {
  const reports = new Map<Account, AccountReport>();
  const waiting = [...accounts];
  const work = async (): Promise<void> => {
    for (let account = waiting.shift(); account !== undefined; account = waiting.shift()) {
      reports.set(account, await pollAccount(account, options));
    }
  };
  await Promise.all(Array.from({ length: parallelAccounts }, work));
  return sumOf(accounts.flatMap((account) => reports.get(account) ?? []));
}

/** All folders of an account, one after the other. */
async function pollAccount(account: Account, options: PollOptions): Promise<AccountReport> {
  const folders: PollReport[] = [];
  try {
    for (const folder of account.folders.length === 0 ? ["INBOX"] : account.folders) {
      await pollFolder(account, folder, { ...options, onPolled: (report) => void folders.push(report) });
    }
    return { account: account.name, folders };
  } catch (error) {
    return failureReport(account, folders, error);
  }
}

/** What is a failure becomes part of the report; what is a bug is thrown on. */
export function failureReport(account: Account, folders: readonly PollReport[], error: unknown): AccountReport {
  if (!(error instanceof Failure)) throw error;
  const { code, message, hint } = error;
  const failure = { code, message: `${account.name}: ${message}`, ...(hint === undefined ? {} : { hint }) };
  return { account: account.name, folders, failure };
}

export function sumOf(accounts: readonly AccountReport[]): FetchReport {
  const folders = accounts.flatMap((account) => account.folders);
  const sum = (count: (one: PollReport) => number): number => folders.reduce((total, one) => total + count(one), 0);
  return {
    fetched: sum(({ fetched }) => fetched),
    fetchedBytes: sum(({ fetchedBytes }) => fetchedBytes),
    deleted: sum(({ deleted }) => deleted),
    accounts,
  };
}
