import { lazily } from "../../base/index.ts";

export const fetchMail = lazily(async () => (await import("./fetch-mail.ts")).fetchMail);
export const planFetchTimer = lazily(async () => (await import("./plan-timer.ts")).planFetchTimer);
export const runDaemon = lazily(async () => (await import("./run-daemon.ts")).runDaemon);
export const readAccounts = lazily(async () => (await import("./read-accounts.ts")).readAccounts);
export type { AccountReport, FetchReport } from "./fetch-mail.ts";
export type { MessageEvent, PollReport } from "./poll-account.ts";
export type { Account } from "./account.ts";
export { stateFolderIn } from "./state-folder.ts";
