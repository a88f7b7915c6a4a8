import { baseSubjectOf, foldText, messageIdsOf } from "../../message/index.ts";
import type { OpenMailbox } from "../../store/index.ts";
import { BadCommand } from "../grammar/index.ts";
import { defineCommand, type NumberedMessage, ok, whenSelected } from "../session/index.ts";
import { search } from "./evaluate.ts";
import { readSearch, viewOf, wordsOf } from "./read-search.ts";
import type { SearchKey } from "./search-key.ts";
import { threadsByLinks, threadsByReferences } from "./thread-by-references.ts";
import { threadsBySubject } from "./thread-by-subject.ts";
import { threadsText, type ThreadMessage, type ThreadNode } from "./thread-node.ts";

type Threading = (messages: readonly ThreadMessage[]) => readonly ThreadNode[];

/** In the capabilities each with `THREAD=` before it. */
const threadings: ReadonlyMap<string, Threading> = new Map([
  ["ORDEREDSUBJECT", threadsBySubject],
  ["REFERENCES", threadsByReferences],
  ["REFS", threadsByLinks],
]);

/** RFC 5256 §3. */
export const threadCommand = defineCommand<{ readonly threading: Threading; readonly key: SearchKey }>({
  name: "THREAD",
  hasUidForm: true,
  states: whenSelected,
  announces: "all-but-expunges",
  parse(cursor) {
    const reader = wordsOf(cursor);
    const name = reader.atom("how to thread").toUpperCase();
    const threading = threadings.get(name);
    if (threading === undefined) throw new BadCommand(`there is no way to thread called "${name.slice(0, 24)}"`);
    const charset = reader.text("a charset");
    return { threading, key: readSearch(reader, charset) };
  },
  async run(session, { threading, key, isByUid }) {
    const found = await search(viewOf(session), key);
    const threads = threading(threadMessages(session.selected.mailbox, found, isByUid));
    const text = threadsText(threads);
    session.write(`* THREAD${text === "" ? "" : ` ${text}`}\r\n`);
    return ok("Threaded.");
  },
});

function threadMessages(
  mailbox: Pick<OpenMailbox, "summaries">,
  messages: readonly NumberedMessage[],
  isByUid: boolean,
): readonly ThreadMessage[] {
  const summaries = new Map(mailbox.summaries(messages.map(({ record }) => record.uid)));
  return messages.map(({ number, record }) => {
    const summary = summaries.get(record.uid);
    const { isReply } = baseSubjectOf(summary?.envelope.subject);
    return {
      number,
      told: isByUid ? record.uid : number,
      sentMs: summary?.sentMs ?? record.receivedMs,
      id: messageIdsOf(summary?.envelope.messageId)[0],
      references: summary?.references ?? [],
      baseSubject: foldText(summary?.baseSubject ?? ""),
      isReply,
    };
  });
}
