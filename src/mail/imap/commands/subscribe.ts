import { readMailboxName } from "../grammar/index.ts";
import { type Command, defineCommand, ok, whenLoggedIn } from "../session/index.ts";

/** RFC 9051 §6.3.7: the name need not be that of a mailbox that exists. */
export const subscribe = subscribing("SUBSCRIBE", true);
/** RFC 9051 §6.3.8. */
export const unsubscribe = subscribing("UNSUBSCRIBE", false);

function subscribing(name: string, isSubscribed: boolean): readonly Command[] {
  return defineCommand({
    name,
    states: whenLoggedIn,
    parse(cursor, form) {
      cursor.space();
      return { mailbox: readMailboxName(cursor, form) };
    },
    async run(session, { mailbox }) {
      await session.store.subscribe(mailbox, isSubscribed);
      return ok(isSubscribed ? "Subscribed." : "No longer subscribed.");
    },
  });
}
