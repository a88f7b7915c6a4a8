import { Failure } from "../../../base/index.ts";
import { type Cursor, readMailboxName, sequenceText } from "../grammar/index.ts";
import { defineCommand, No, ok, type Session, whenLoggedIn } from "../session/index.ts";
import { type GivenMessage, readNewMessage } from "./new-message.ts";

/** RFC 9051 §6.3.12; several at once (MULTIAPPEND, RFC 3502), all or none. */
export const append = defineCommand({
  name: "APPEND",
  states: whenLoggedIn,
  parse(cursor, form) {
    cursor.space();
    const mailbox = readMailboxName(cursor, form);
    return { mailbox, messages: readMessages(cursor) };
  },
  async run(session, { mailbox, messages }) {
    return ok("Added.", await appended(session, mailbox, messages));
  },
});

/** Adds messages; the response code that says where they are (UIDPLUS, RFC 4315 §3). */
export async function appended(session: Session, mailbox: string, messages: readonly GivenMessage[]): Promise<string> {
  const receivedNow = session.now();
  const complete = messages.map((message) => ({ ...message, receivedMs: message.receivedMs ?? receivedNow }));
  const { uidValidity, uids } = await orTryCreate(() => session.store.append(mailbox, complete));
  return `APPENDUID ${uidValidity} ${sequenceText(uids)}`;
}

/** A mailbox that is missed could be made and the command tried again (RFC 9051 §7.1 TRYCREATE). */
export async function orTryCreate<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Failure && error.code === "not-found") throw new No(error.message, "TRYCREATE");
    throw error;
  }
}

function readMessages(cursor: Cursor): readonly GivenMessage[] {
  const messages: GivenMessage[] = [];
  do {
    cursor.space();
    messages.push(readNewMessage(cursor));
  } while (!cursor.isAtEnd);
  return messages;
}
