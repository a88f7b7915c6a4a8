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
    const code = session.enabled.has("QRESYNC") ? `HIGHESTMODSEQ ${mailbox.highestModSeq}` : undefined;
    session.unselect();
    return ok("Closed.", code);
  },
});
