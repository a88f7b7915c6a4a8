import type { ConnectOptions } from "../client/index.ts";
import type { Account } from "./account.ts";
import { ImapSource } from "./imap-source.ts";
import { Pop3Source } from "./pop3-source.ts";
import type { MailSource } from "./source.ts";

/** Connects and logs in; with IMAP, opens the folder. */
export function openSource(account: Account, folder: string, signal: AbortSignal | undefined): Promise<MailSource> {
  const { host, port, tls, timeoutMs } = account;
  const connect: ConnectOptions = { host, port, tls, timeoutMs, ...(signal === undefined ? {} : { signal }) };
  return account.protocol === "pop3" ? Pop3Source.open(account, connect) : ImapSource.open(account, folder, connect);
}
