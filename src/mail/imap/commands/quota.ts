import { mailboxNameText, readMailboxName } from "../grammar/index.ts";
import { defineCommand, No, ok, type Session, whenLoggedIn } from "../session/index.ts";

/** RFC 9208 §4.2. There is one root for all the mail of a user, and its name is empty. */
export const getQuota = defineCommand({
  name: "GETQUOTA",
  states: whenLoggedIn,
  parse(cursor) {
    cursor.space();
    return { asked: cursor.decoded(cursor.astring()) };
  },
  run(session, { asked }) {
    if (asked !== "") throw new No("There is no quota of that name.", "NONEXISTENT");
    session.write(quotaText(session));
    return ok("That.");
  },
});

/** RFC 9208 §4.3. */
export const getQuotaRoot = defineCommand({
  name: "GETQUOTAROOT",
  states: whenLoggedIn,
  parse(cursor, form) {
    cursor.space();
    return { mailbox: readMailboxName(cursor, form) };
  },
  run(session, { mailbox }) {
    session.write(`* QUOTAROOT ${mailboxNameText(mailbox, session.nameForm)} ""\r\n${quotaText(session)}`);
    return ok("That.");
  },
});

/** RFC 9208 §4.1.3: limits are set by who keeps the server. */
export const setQuota = defineCommand({
  name: "SETQUOTA",
  states: whenLoggedIn,
  parse(cursor) {
    cursor.space();
    cursor.astring();
    cursor.space();
    const limit = (): void => {
      cursor.atom();
      cursor.space();
      cursor.number64();
    };
    cursor.list(limit, { mayBeEmpty: true });
    return {};
  },
  run(): never {
    throw new No("Limits are not set from here.", "NOPERM");
  },
});

/** STORAGE in units of 1024 bytes; a resource without limit is not told (RFC 9208 §5). */
function quotaText({ store }: Session): string {
  const { usedBytes, messages, limitBytes, limitMessages } = store.quota();
  const storage = limitBytes === undefined ? [] : [`STORAGE ${inUnits(usedBytes)} ${inUnits(limitBytes)}`];
  const message = limitMessages === undefined ? [] : [`MESSAGE ${messages} ${limitMessages}`];
  return `* QUOTA "" (${[...storage, ...message].join(" ")})\r\n`;
}

function inUnits(bytes: number): number {
  return Math.ceil(bytes / 1024);
}
