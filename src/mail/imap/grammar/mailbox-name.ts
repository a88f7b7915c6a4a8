import { decodeModifiedUtf7, encodeModifiedUtf7 } from "../../modified-utf7.ts";
import { stringText } from "../fetch-text/index.ts";
import { BadCommand } from "./bad-command.ts";
import type { Cursor } from "./cursor.ts";

/** Whether names are in UTF-8 (IMAP4rev2 or UTF8=ACCEPT enabled) or in modified UTF-7. */
export interface NameForm {
  readonly isUtf8: boolean;
}

export function readMailboxName(cursor: Cursor, form: NameForm): string {
  return mailboxNameOf(cursor, cursor.astring(), form);
}

/** A pattern of LIST: `*` and `%` are wildcards. */
export function readMailboxPattern(cursor: Cursor, form: NameForm): string {
  return mailboxNameOf(cursor, cursor.listString(), form);
}

export function mailboxNameText(name: string, { isUtf8 }: NameForm): string {
  return stringText(isUtf8 ? name : encodeModifiedUtf7(name), { utf8: isUtf8 });
}

function mailboxNameOf(cursor: Cursor, raw: string, { isUtf8 }: NameForm): string {
  // A client of IMAP4rev1 that sends UTF-8 as it is can mean only one thing.
  const isAscii = !/[^ -~]/.test(raw);
  const name = isUtf8 || !isAscii ? cursor.decoded(raw) : decodeModifiedUtf7(raw);
  if (name === undefined) throw new BadCommand("a mailbox name is not in modified UTF-7");
  return name.toUpperCase() === "INBOX" ? "INBOX" : name;
}
