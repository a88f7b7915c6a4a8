import { type Cursor, readMailboxName, readSequenceSet, type SequenceSet, sequenceText } from "../grammar/index.ts";
import type { Copied } from "../../store/index.ts";
import { type Answer, defineCommand, no, ok, type ParseContext, whenSelected } from "../session/index.ts";

import { orTryCreate } from "./append.ts";

/** Messages and where they go: COPY and MOVE. */
export interface Transfer {
  readonly set: SequenceSet;
  readonly target: string;
}

/** RFC 9051 §6.4.7. */
export const copy = defineCommand<Transfer>({
  name: "COPY",
  hasUidForm: true,
  states: whenSelected,
  parse: readTransfer,
  async run(session, { set, target, isByUid }) {
    const { selected } = session;
    const uids = selected.messagesOf(set, { isByUid }).map(({ record }) => record.uid);
    if (uids.length === 0) return ok("There are no such messages.");
    const copied = await orTryCreate(() => selected.mailbox.copy(uids, target));
    return transferAnswer("Copied.", uids, copied, copyUidCode(copied));
  },
});

export function readTransfer(cursor: Cursor, form: ParseContext): Transfer {
  cursor.space();
  const set = readSequenceSet(cursor);
  cursor.space();
  return { set, target: readMailboxName(cursor, form) };
}

/** UIDPLUS (RFC 4315 §3): which became which; undefined where none did. */
export function copyUidCode({ uidValidity, sourceUids, uids }: Copied): string | undefined {
  if (uids.length === 0) return undefined;
  return `COPYUID ${uidValidity} ${sequenceText(sourceUids)} ${sequenceText(uids)}`;
}

export function transferAnswer(text: string, asked: readonly number[], copied: Copied, code?: string): Answer {
  if (copied.sourceUids.length === asked.length) return ok(text, code);
  return no("Some of these messages were removed meanwhile; the others are done.", code ?? "EXPUNGEISSUED");
}
