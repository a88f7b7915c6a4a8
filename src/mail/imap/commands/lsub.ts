import type { MailboxEntry } from "../../store/index.ts";
import { matchesPattern, readMailboxName, readMailboxPattern } from "../grammar/index.ts";
import { defineCommand, ok, whenLoggedIn } from "../session/index.ts";
import { listEntryText } from "./list-entry.ts";

/** RFC 3501 §6.3.9; RFC 9051 has LIST (SUBSCRIBED) for it. */
export const lsub = defineCommand({
  name: "LSUB",
  states: whenLoggedIn,
  parse(cursor, form) {
    cursor.space();
    const reference = readMailboxName(cursor, form);
    cursor.space();
    return { pattern: `${reference}${readMailboxPattern(cursor, form)}` };
  },
  run(session, { pattern }) {
    const entries = session.store.list();
    const options = { command: "LSUB", isBasic: true } as const;
    for (const entry of entries.filter(({ name }) => matchesPattern(name, pattern))) {
      // A level above a subscribed mailbox stands for it where the pattern does not reach so deep.
      const isAbove = !entry.isSubscribed && pattern.endsWith("%") && hasSubscribedBelow(entries, entry.name);
      if (!entry.isSubscribed && !isAbove) continue;
      const told = isAbove ? { ...entry, isSelectable: false, specialUse: [] } : entry;
      session.write(listEntryText(told, session.nameForm, options));
    }
    return ok("Those.");
  },
});

function hasSubscribedBelow(entries: readonly MailboxEntry[], name: string): boolean {
  return entries.some((entry) => entry.isSubscribed && entry.name.startsWith(`${name}/`));
}
