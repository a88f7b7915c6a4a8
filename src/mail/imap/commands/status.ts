import { readMailboxName } from "../grammar/index.ts";
import { defineCommand, ok, whenLoggedIn } from "../session/index.ts";
import { readStatusItems, statusText } from "./status-items.ts";

/** RFC 9051 §6.3.11. */
export const status = defineCommand({
  name: "STATUS",
  states: whenLoggedIn,
  parse(cursor, form) {
    cursor.space();
    const mailbox = readMailboxName(cursor, form);
    cursor.space();
    return { mailbox, items: readStatusItems(cursor) };
  },
  run(session, { mailbox, items }) {
    session.write(statusText(session, mailbox, items));
    return ok("That.");
  },
});
