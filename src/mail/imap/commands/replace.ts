import { BadCommand, readMailboxName, readSequenceSet, type SequenceSet } from "../grammar/index.ts";
import { defineCommand, No, ok, whenSelected } from "../session/index.ts";
import { appended } from "./append.ts";
import { type GivenMessage, readNewMessage } from "./new-message.ts";
import { writable } from "./writable.ts";

interface Replacing {
  readonly set: SequenceSet;
  readonly mailbox: string;
  readonly message: GivenMessage;
}

/** RFC 8508: a message in place of another; the new one is on disk before the old one goes. */
export const replace = defineCommand<Replacing>({
  name: "REPLACE",
  hasUidForm: true,
  states: whenSelected,
  parse(cursor, form) {
    cursor.space();
    const set = readSequenceSet(cursor);
    cursor.space();
    const mailbox = readMailboxName(cursor, form);
    cursor.space();
    return { set, mailbox, message: readNewMessage(cursor) };
  },
  async run(session, { set, mailbox, message, isByUid }) {
    const selected = writable(session);
    const [old, ...others] = selected.messagesOf(set, { isByUid });
    if (others.length > 0) throw new BadCommand("REPLACE is for one message");
    if (old === undefined) throw new No("There is no such message.", "EXPUNGEISSUED");
    const code = await appended(session, mailbox, [message]);
    const { uid } = old.record;
    await selected.mailbox.setFlags([uid], { mode: "add", flags: ["\\Deleted"] });
    const gone = await selected.mailbox.expunge([uid]);
    session.write(`* OK [${code}] The new one is added.\r\n`);
    session.write(selected.removedText(gone, session.telling));
    return ok("Replaced.");
  },
});
