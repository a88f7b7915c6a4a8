import { type Command, defineCommand, nothing, ok, whenSelected } from "../session/index.ts";

/** RFC 9051 §6.4.1: removes what is marked as deleted, and tells nothing of it. */
export const close: readonly Command[] = defineCommand({
  name: "CLOSE",
  states: whenSelected,
  announces: "nothing",
  parse: nothing,
  async run(session) {
    const { mailbox } = session.selected;
    if (!mailbox.isReadOnly) await mailbox.expunge();
    session.unselect();
    // Without HIGHESTMODSEQ: what went was not told, so the client has to be told when it comes back.
    return ok("Closed.");
  },
});
