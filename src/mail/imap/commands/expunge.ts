import { readSequenceSet } from "../grammar/index.ts";
import { defineCommand, ok, whenSelected } from "../session/index.ts";
import { modSeqCode } from "./mod-seq-code.ts";
import { writable } from "./writable.ts";

/** RFC 9051 §6.4.3, and §6.4.9 for UID EXPUNGE (UIDPLUS, RFC 4315 §2.1). */
export const expunge = defineCommand({
  name: "EXPUNGE",
  hasUidForm: true,
  states: whenSelected,
  parse(cursor, { isByUid }) {
    if (!isByUid) return {};
    cursor.space();
    return { set: readSequenceSet(cursor) };
  },
  async run(session, { set }) {
    const selected = writable(session);
    const among = set === undefined ? undefined : selected.messagesOf(set, { isByUid: true });
    const gone = await selected.mailbox.expunge(among?.map(({ record }) => record.uid));
    session.write(selected.removedText(gone, session.telling));
    return ok("Removed.", modSeqCode(session));
  },
});
