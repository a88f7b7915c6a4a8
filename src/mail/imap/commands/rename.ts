import { readMailboxName } from "../grammar/index.ts";
import { defineCommand, ok, whenLoggedIn } from "../session/index.ts";

/** RFC 9051 §6.3.6. */
export const rename = defineCommand({
  name: "RENAME",
  states: whenLoggedIn,
  parse(cursor, form) {
    cursor.space();
    const from = readMailboxName(cursor, form).replace(/\/$/, "");
    cursor.space();
    return { from, to: readMailboxName(cursor, form).replace(/\/$/, "") };
  },
  async run(session, { from, to }) {
    await session.store.rename(from, to);
    return ok("Renamed.");
  },
});
