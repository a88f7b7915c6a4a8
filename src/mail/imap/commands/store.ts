import { type Cursor, readFlags, readSequenceSet, type SequenceSet, sequenceText } from "../grammar/index.ts";
import type { FlagChange, Flagged } from "../../store/index.ts";
import { type Answer, defineCommand, no, ok, type Selected, type Session, whenSelected } from "../session/index.ts";
import { writable } from "./writable.ts";

interface Storing {
  readonly set: SequenceSet;
  readonly change: FlagChange;
  readonly isSilent: boolean;
}

/** RFC 9051 §6.4.6; UNCHANGEDSINCE of CONDSTORE (RFC 7162 §3.1.3). */
export const store = defineCommand<Storing>({
  name: "STORE",
  hasUidForm: true,
  states: whenSelected,
  announces: "all-but-expunges",
  parse(cursor) {
    cursor.space();
    const set = readSequenceSet(cursor);
    cursor.space();
    const unchangedSince = cursor.next === "(" ? readUnchangedSince(cursor) : undefined;
    const mode = cursor.accept("+") ? "add" : cursor.accept("-") ? "remove" : "set";
    cursor.expect("FLAGS");
    const isSilent = cursor.accept(".SILENT");
    cursor.space();
    const flags = readFlags(cursor);
    return { set, isSilent, change: { mode, flags, ...(unchangedSince === undefined ? {} : { unchangedSince }) } };
  },
  async run(session, { set, change, isSilent, isByUid }) {
    const selected = writable(session);
    if (change.unchangedSince !== undefined) session.useModSeqs();
    const messages = selected.messagesOf(set, { isByUid });
    const uids = messages.map(({ record }) => record.uid);
    const flagged = await selected.mailbox.setFlags(uids, change);
    tell(session, flagged, { isSilent, isByUid });
    // What others changed or removed meanwhile is told before the answer; a client compares it with its own.
    return answer(selected, flagged, { uids, isByUid });
  },
});

/** RFC 7162 §3.1.3: the new modSeq is told even where flags are not asked for. */
function tell(session: Session, { changed }: Flagged, how: { isSilent: boolean; isByUid: boolean }): void {
  const { selected, telling } = session;
  if (!how.isSilent) {
    session.write(selected.changedText(changed, { ...telling, uid: telling.uid || how.isByUid }));
    return;
  }
  for (const record of changed) {
    const number = selected.take(record);
    const uid = telling.uid || how.isByUid ? `UID ${record.uid} ` : "";
    if (telling.modSeq && number > 0) session.write(`* ${number} FETCH (${uid}MODSEQ (${record.modSeq}))\r\n`);
  }
}

function answer(
  selected: Selected,
  { changed, modified }: Flagged,
  { uids, isByUid }: { readonly uids: readonly number[]; readonly isByUid: boolean },
): Answer {
  const heldBack = isByUid ? modified : modified.map((uid) => selected.numberOf(uid));
  const code = modified.length === 0 ? undefined : `MODIFIED ${sequenceText(heldBack.toSorted((a, b) => a - b))}`;
  if (changed.length + modified.length < uids.length) {
    // RFC 2180 §4.2.1: the others are done.
    return no("Some of these messages were removed meanwhile.", code ?? "EXPUNGEISSUED");
  }
  return ok(code === undefined ? "Stored." : "Some were changed since.", code);
}

function readUnchangedSince(cursor: Cursor): number {
  cursor.expect("(UNCHANGEDSINCE ");
  const modSeq = cursor.number64();
  cursor.expect(")");
  cursor.space();
  return modSeq;
}
