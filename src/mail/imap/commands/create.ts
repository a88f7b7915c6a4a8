import { readMailboxName } from "../grammar/index.ts";
import { defineCommand, No, ok, whenLoggedIn } from "../session/index.ts";

/** RFC 6154 §2 and RFC 8457: what a mailbox can be for. `\All` and `\Flagged` are views of others, which are not made. */
const specialUses = ["\\Archive", "\\Drafts", "\\Important", "\\Junk", "\\Sent", "\\Trash"];

/** RFC 9051 §6.3.4; CREATE-SPECIAL-USE (RFC 6154 §3), the MAILBOXID of RFC 8474. */
export const create = defineCommand({
  name: "CREATE",
  states: whenLoggedIn,
  parse(cursor, form) {
    cursor.space();
    // A separator at the end says that there will be others below it, which every mailbox may have.
    const mailbox = readMailboxName(cursor, form).replace(/\/$/, "");
    if (!cursor.accept(" ")) return { mailbox, uses: [] };
    cursor.expect("(USE ");
    const read = (): string => {
      cursor.expect("\\");
      return `\\${cursor.atom()}`;
    };
    const uses = cursor.list(read, { mayBeEmpty: true });
    cursor.expect(")");
    return { mailbox, uses };
  },
  async run(session, { mailbox, uses }) {
    const known = uses.map((use) => specialUses.find((name) => name.toLowerCase() === use.toLowerCase()));
    const specialUse = known.filter((use) => use !== undefined);
    if (specialUse.length < uses.length) throw new No("A mailbox cannot be for that.", "USEATTR");
    await session.store.create(mailbox, specialUse);
    return ok("Created.", `MAILBOXID (${session.store.status(mailbox).mailboxId})`);
  },
});
