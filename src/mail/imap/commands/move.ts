import { defineCommand, ok, whenSelected } from "../session/index.ts";
import { orTryCreate } from "./append.ts";
import { copyUidCode, readTransfer, type Transfer, transferAnswer } from "./copy.ts";
import { modSeqCode } from "./mod-seq-code.ts";
import { writable } from "./writable.ts";

/** RFC 9051 §6.4.8 (RFC 6851): the new UIDs are told before the messages go. */
export const move = defineCommand<Transfer>({
  name: "MOVE",
  hasUidForm: true,
  states: whenSelected,
  parse: readTransfer,
  async run(session, { set, target, isByUid }) {
    const selected = writable(session);
    const uids = selected.messagesOf(set, { isByUid }).map(({ record }) => record.uid);
    if (uids.length === 0) return ok("There are no such messages.");
    const moved = await orTryCreate(() => selected.mailbox.move(uids, target));
    const code = copyUidCode(moved);
    if (code !== undefined) session.write(`* OK [${code}] Moved.\r\n`);
    session.write(selected.removedText(moved.sourceUids, session.telling));
    return transferAnswer("Moved.", uids, moved, modSeqCode(session));
  },
});
