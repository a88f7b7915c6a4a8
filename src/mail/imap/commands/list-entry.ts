import type { MailboxEntry } from "../../store/index.ts";
import { mailboxNameText, type NameForm } from "../grammar/index.ts";

export interface ListEntryOptions {
  readonly withSubscribed?: boolean;
  /** RFC 5258 CHILDINFO: what made this one match is below it. */
  readonly childInfo?: boolean;
  /** For clients that know only RFC 3501: one of its attributes for what cannot be selected. */
  readonly isBasic?: boolean;
  readonly command?: "LIST" | "LSUB";
}

/** `* LIST (\HasChildren) "/" "name"` (RFC 9051 §7.3.1). */
export function listEntryText(entry: MailboxEntry, form: NameForm, options: ListEntryOptions = {}): string {
  const { withSubscribed = false, childInfo = false, isBasic = false, command = "LIST" } = options;
  const attributes = [
    ...(entry.isSelectable ? [] : [entry.exists || isBasic ? "\\Noselect" : "\\NonExistent"]),
    entry.hasChildren ? "\\HasChildren" : "\\HasNoChildren",
    ...(withSubscribed && entry.isSubscribed ? ["\\Subscribed"] : []),
    ...entry.specialUse,
  ];
  const extended = childInfo ? ' ("CHILDINFO" ("SUBSCRIBED"))' : "";
  return `* ${command} (${attributes.join(" ")}) "/" ${mailboxNameText(entry.name, form)}${extended}\r\n`;
}
