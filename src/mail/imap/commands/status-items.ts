import type { MailboxStatus } from "../../store/index.ts";
import { BadCommand, type Cursor, mailboxNameText } from "../grammar/index.ts";
import type { Session } from "../session/index.ts";

export type StatusItem =
  | "MESSAGES"
  | "UIDNEXT"
  | "UIDVALIDITY"
  | "UNSEEN"
  | "DELETED"
  | "SIZE"
  | "RECENT"
  | "HIGHESTMODSEQ"
  | "MAILBOXID"
  | "APPENDLIMIT";

type ItemText = (status: MailboxStatus, session: Session) => string;

/** RFC 9051 §6.3.11; RECENT of RFC 3501, the rest of RFC 7162, RFC 8474 and RFC 7889. */
const texts: Readonly<Record<StatusItem, ItemText>> = {
  MESSAGES: ({ messages }) => `${messages}`,
  UIDNEXT: ({ uidNext }) => `${uidNext}`,
  UIDVALIDITY: ({ uidValidity }) => `${uidValidity}`,
  UNSEEN: ({ unseen }) => `${unseen}`,
  DELETED: ({ deleted }) => `${deleted}`,
  SIZE: ({ sizeBytes }) => `${sizeBytes}`,
  RECENT: () => "0",
  HIGHESTMODSEQ: ({ highestModSeq }) => `${highestModSeq}`,
  MAILBOXID: ({ mailboxId }) => `(${mailboxId})`,
  APPENDLIMIT: (_, { limits }) => `${limits.messageBytes}`,
};

export function readStatusItems(cursor: Cursor): readonly StatusItem[] {
  const read = (): StatusItem => {
    const name = cursor.atom().toUpperCase();
    if (!isStatusItem(name)) throw new BadCommand(`there is no status ${name}`);
    return name;
  };
  return [...new Set(cursor.list(read, { mayBeEmpty: false }))];
}

/** `* STATUS name (MESSAGES 1)`. */
export function statusText(session: Session, name: string, items: readonly StatusItem[]): string {
  // Asking for modSeqs is using them (RFC 7162 §3.1).
  if (items.includes("HIGHESTMODSEQ")) session.useModSeqs();
  const status = session.store.status(name);
  const words = items.map((item) => `${item} ${texts[item](status, session)}`);
  return `* STATUS ${mailboxNameText(name, session.nameForm)} (${words.join(" ")})\r\n`;
}

function isStatusItem(name: string): name is StatusItem {
  return Object.hasOwn(texts, name);
}
