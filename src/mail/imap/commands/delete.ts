import { readMailboxName } from "../grammar/index.ts";
import { defineCommand, No, ok, whenLoggedIn } from "../session/index.ts";

/** RFC 9051 §6.3.5. A name that is only a level above others stays (§6.3.5: it is an error to delete it). */
export const deleteMailbox = defineCommand({
  name: "DELETE",
  states: whenLoggedIn,
  parse(cursor, form) {
    cursor.space();
    return { mailbox: readMailboxName(cursor, form) };
  },
  async run(session, { mailbox }) {
    const entry = session.store.list().find(({ name }) => name === mailbox);
    if (entry?.hasChildren === true && !entry.isSelectable)
      throw new No("There are mailboxes below it.", "HASCHILDREN");
    if (session.state === "selected" && session.selected.mailbox.name === mailbox) {
      session.unselect();
      session.write("* OK [CLOSED] The mailbox is deleted.\r\n");
    }
    await session.store.delete(mailbox);
    return ok("Deleted.");
  },
});
