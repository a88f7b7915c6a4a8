import { fetchPlan, tellMessages } from "../fetching/index.ts";
import {
  BadCommand,
  type Cursor,
  type FetchItem,
  isIn,
  readFetchItems,
  readSequenceSet,
  resolved,
  type SequenceSet,
  sequenceText,
} from "../grammar/index.ts";
import { parsePartialRange, partialOf, type PartialRange } from "../search/index.ts";
import { defineCommand, no, ok, type Session, whenSelected } from "../session/index.ts";

interface Fetching {
  readonly set: SequenceSet;
  readonly items: readonly FetchItem[];
  /** RFC 7162 §3.1.4.1: only what changed after it. */
  readonly changedSince?: number;
  /** RFC 7162 §3.2.6: and what vanished after it. */
  readonly withVanished?: boolean;
  /** RFC 9394 §3.3: which of these messages. */
  readonly partial?: PartialRange;
}

/** RFC 9051 §6.4.5. */
export const fetch = defineCommand<Fetching>({
  name: "FETCH",
  hasUidForm: true,
  states: whenSelected,
  announces: "all-but-expunges",
  parse(cursor) {
    cursor.space();
    const set = readSequenceSet(cursor);
    cursor.space();
    const items = readFetchItems(cursor);
    return { set, items, ...(cursor.accept(" ") ? readModifiers(cursor) : {}) };
  },
  async run(session, { set, items, changedSince, withVanished = false, partial, isByUid }) {
    if (withVanished && (!isByUid || !session.enabled.has("QRESYNC"))) {
      throw new BadCommand("VANISHED is for UID FETCH after ENABLE QRESYNC");
    }
    if (changedSince !== undefined || items.some(({ label }) => label === "MODSEQ")) session.useModSeqs();
    const all = session.selected.messagesOf(set, { isByUid });
    const changed = changedSince === undefined ? all : all.filter(({ record }) => record.modSeq > changedSince);
    if (partial !== undefined && !isByUid) throw new BadCommand("PARTIAL is for UID FETCH");
    const messages = partial === undefined ? changed : partialOf(changed, partial);
    if (withVanished && changedSince !== undefined && set !== "$") {
      session.write(vanishedText(session, set, changedSince));
    }
    const plan = fetchPlan(items, {
      withUid: isByUid || session.telling.vanished,
      withModSeq: changedSince !== undefined,
      utf8: session.nameForm.isUtf8,
    });
    const { removed, refusal } = await tellMessages(session, messages, plan);
    if (refusal !== undefined) throw refusal;
    // RFC 2180 §4.1.2, RFC 5530 §3.
    if (removed > 0) return no("Some of these messages were removed meanwhile.", "EXPUNGEISSUED");
    return ok("Fetched.");
  },
});

/** Those that the client still counts are told as VANISHED without EARLIER, in their time. */
function vanishedText({ selected }: Session, set: Exclude<SequenceSet, "$">, since: number): string {
  const asked = resolved(set, selected.mailbox.uidNext);
  const vanished = selected.mailbox.vanishedSince(since);
  const told = vanished.filter((uid) => isIn(asked, uid) && selected.numberOf(uid) === 0);
  return told.length === 0 ? "" : `* VANISHED (EARLIER) ${sequenceText(told)}\r\n`;
}

function readModifiers(cursor: Cursor): Partial<Fetching> {
  let found: Partial<Fetching> = {};
  const modifier = (): void => {
    if (cursor.accept("CHANGEDSINCE ")) found = { ...found, changedSince: cursor.number64() };
    else if (cursor.accept("VANISHED")) found = { ...found, withVanished: true };
    else if (cursor.accept("PARTIAL ")) found = { ...found, partial: readPartialRange(cursor) };
    else throw cursor.bad("CHANGEDSINCE, VANISHED or PARTIAL");
  };
  cursor.list(modifier, { mayBeEmpty: false });
  if (found.withVanished === true && found.changedSince === undefined) {
    throw new BadCommand("VANISHED needs CHANGEDSINCE");
  }
  return found;
}

const rangePattern = /[-0-9:]+/y;

function readPartialRange(cursor: Cursor): PartialRange {
  return parsePartialRange(cursor.take(rangePattern) ?? "");
}
