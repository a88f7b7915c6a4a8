import { BadCommand, type Range, readMailboxName, readUidSet, type Cursor } from "../grammar/index.ts";
import {
  type Command,
  defineCommand,
  flagsText,
  No,
  ok,
  permanentFlagsText,
  Selected,
  type Session,
  whenLoggedIn,
} from "../session/index.ts";
import { listEntryText } from "./list-entry.ts";
import { resyncText } from "./resync.ts";

/** What a client knew of a mailbox when it left (QRESYNC, RFC 7162 §3.2.5). */
export interface Resync {
  readonly uidValidity: number;
  readonly modSeq: number;
  readonly knownUids?: readonly Range[];
}

interface Selection {
  readonly mailbox: string;
  readonly usesModSeqs: boolean;
  readonly resync?: Resync;
}

/** RFC 9051 §6.3.2. */
export const select = selecting("SELECT", false);
/** RFC 9051 §6.3.3. */
export const examine = selecting("EXAMINE", true);

function selecting(name: string, isReadOnly: boolean): readonly Command[] {
  return defineCommand<Selection>({
    name,
    states: whenLoggedIn,
    announces: "nothing",
    parse(cursor, context) {
      cursor.space();
      const mailbox = readMailboxName(cursor, context);
      return { mailbox, usesModSeqs: false, ...(cursor.accept(" ") ? readParameters(cursor) : {}) };
    },
    run(session, { mailbox, usesModSeqs, resync }) {
      if (resync !== undefined && !session.enabled.has("QRESYNC")) throw new BadCommand("QRESYNC is not enabled");
      if (usesModSeqs) session.enabled.add("CONDSTORE");
      if (session.state === "selected") {
        // From here on the client's numbers mean nothing, even where the other mailbox cannot be opened.
        session.unselect();
        session.write("* OK [CLOSED] The mailbox before is closed.\r\n");
      }
      return open(session, mailbox, { isReadOnly, resync });
    },
  });
}

function open(
  session: Session,
  name: string,
  { isReadOnly, resync }: { readonly isReadOnly: boolean; readonly resync: Resync | undefined },
): ReturnType<typeof ok> {
  const entry = session.store.list().find((known) => known.name === name);
  if (entry !== undefined && !entry.isSelectable) throw new No("There are only mailboxes below it.", "NONEXISTENT");
  const mailbox = session.store.open(name, { isReadOnly });
  const selected = new Selected(mailbox);
  session.select(selected);
  const isRev2 = session.enabled.has("IMAP4rev2");
  const firstUnseen = selected.records.findIndex(({ flags }) => !flags.includes("\\Seen")) + 1;
  session.write(
    [
      flagsText(mailbox),
      `* ${selected.records.length} EXISTS\r\n`,
      // RFC 3501 wants it; which messages are new to all clients is not kept.
      isRev2 ? "" : "* 0 RECENT\r\n",
      isRev2 || firstUnseen === 0 ? "" : `* OK [UNSEEN ${firstUnseen}] The first that was not read.\r\n`,
      permanentFlagsText(mailbox),
      `* OK [UIDVALIDITY ${mailbox.uidValidity}] UIDs are good as long as this is the same.\r\n`,
      `* OK [UIDNEXT ${mailbox.uidNext}] The next one.\r\n`,
      `* OK [HIGHESTMODSEQ ${mailbox.highestModSeq}] Of all messages here.\r\n`,
      `* OK [MAILBOXID (${mailbox.mailboxId})] It stays when the name changes.\r\n`,
      isRev2 && entry !== undefined ? listEntryText(entry, session.nameForm) : "",
    ].join(""),
  );
  if (resync?.uidValidity === mailbox.uidValidity) session.write(resyncText(selected, resync));
  return ok("It is open.", mailbox.isReadOnly ? "READ-ONLY" : "READ-WRITE");
}

/** `(CONDSTORE)`, `(QRESYNC (validity modseq [uids [(numbers uids)]]))`. */
function readParameters(cursor: Cursor): Partial<Selection> {
  let found: Partial<Selection> = {};
  const parameter = (): void => {
    if (cursor.accept("CONDSTORE")) found = { ...found, usesModSeqs: true };
    else if (cursor.accept("QRESYNC ")) found = { ...found, usesModSeqs: true, resync: readResync(cursor) };
    else throw cursor.bad("CONDSTORE or QRESYNC");
  };
  cursor.list(parameter, { mayBeEmpty: false });
  return found;
}

function readResync(cursor: Cursor): Resync {
  cursor.expect("(");
  const uidValidity = cursor.number();
  cursor.space();
  const modSeq = cursor.number64();
  let knownUids: readonly Range[] | undefined;
  if (cursor.accept(" ")) {
    if (cursor.next !== "(") knownUids = readUidSet(cursor);
    if (cursor.next === "(" || cursor.accept(" ")) {
      // Which number had which UID: it would only shorten the answer, and what vanished is known here.
      cursor.expect("(");
      readUidSet(cursor);
      cursor.space();
      readUidSet(cursor);
      cursor.expect(")");
    }
  }
  cursor.expect(")");
  return { uidValidity, modSeq, ...(knownUids === undefined ? {} : { knownUids }) };
}
