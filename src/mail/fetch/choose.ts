import type { Account } from "./account.ts";
import type { Fate } from "./intent.ts";
import type { RemoteMessage } from "./source.ts";

/** What is to be done with each message of a mailbox. */
export interface Choice {
  readonly wanted: readonly RemoteMessage[];
  /** Safe here, or not wanted at all: to be deleted there. */
  readonly unwanted: readonly RemoteMessage[];
  /** Safe here, and the server does not know yet that they were read. */
  readonly unmarked: readonly RemoteMessage[];
  /** Larger than the limit: they stay. */
  readonly large: readonly RemoteMessage[];
  /** Fetched or read before, and kept. */
  readonly old: number;
  /** Beyond the limit of one poll. */
  readonly later: number;
}

type ChoosingAccount = Pick<
  Account,
  "keeps" | "flushes" | "fetchesAll" | "flushesLarge" | "limitBytes" | "fetchLimit" | "protocol"
>;

/** As fetchmail chooses, but for what a run that was cut off has left: that is never fetched again. */
export function choose(
  account: ChoosingAccount,
  messages: readonly RemoteMessage[],
  fateOf: (uid: string) => Fate | undefined,
): Choice {
  const wanted: RemoteMessage[] = [];
  const unwanted: RemoteMessage[] = [];
  const unmarked: RemoteMessage[] = [];
  const large: RemoteMessage[] = [];
  let old = 0;
  for (const message of messages) {
    const fate = fateOf(message.uid);
    if (fate === "due" && !account.keeps) unwanted.push(message);
    else if (fate !== undefined && account.protocol === "imap" && !message.isSeen) unmarked.push(message);
    else if ((fate !== undefined || message.isSeen) && !account.fetchesAll) {
      if (account.flushes) unwanted.push(message);
      else old += 1;
    } else if (account.limitBytes > 0 && message.sizeBytes > account.limitBytes) {
      if (account.flushesLarge) unwanted.push(message);
      else large.push(message);
    } else wanted.push(message);
  }
  const now = account.fetchLimit > 0 ? wanted.slice(0, account.fetchLimit) : wanted;
  return { wanted: now, unwanted, unmarked, large, old, later: wanted.length - now.length };
}
