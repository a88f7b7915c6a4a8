import assert from "node:assert/strict";
import { test } from "node:test";
import { Failure } from "../../../src/base/index.ts";
import type { MailStore, OpenMailbox } from "../../../src/mail/store/index.ts";
import { memoryMail, Talk } from "./talk.ts";

/** The mail of three messages, of which the second cannot be read. */
function damagedStore(): MailStore {
  const mail = memoryMail();
  mail.add("INBOX", "Subject: 1\n\n1\n", "Subject: 2\n\n2\n", "Subject: 3\n\n3\n");
  const store = mail.store();
  return {
    ...store,
    open(name, options): OpenMailbox {
      const mailbox = store.open(name, options);
      const content = mailbox.content.bind(mailbox);
      return Object.assign(mailbox, {
        content(uid: number) {
          if (uid === 2) throw new Failure("damaged", "cannot read message 2: it is cut off");
          return content(uid);
        },
      });
    },
  };
}

test("a message that cannot be read does not keep the others back", async () => {
  await using talk = await Talk.open({ openStore: damagedStore });
  await talk.answerTo("a1 SELECT INBOX");
  await talk.follow(`C: a2 FETCH 1:3 BODY.PEEK[TEXT]
    S: * 1 FETCH (BODY[TEXT] {3}
    S: 1
    S: )
    S: * 3 FETCH (BODY[TEXT] {3}
    S: 3
    S: )
    S: a2 NO [CORRUPTION] cannot read message 2: it is cut off`);
});

test("files that cannot be reached now, and no space, are said to be that", async () => {
  const failing = (code: string): MailStore => ({
    ...memoryMail().store(),
    status() {
      throw Object.assign(new Error(`${code}: open`), { code, syscall: "open" });
    },
  });
  await using away = await Talk.open({ openStore: () => failing("EIO") });
  await away.says("a1 STATUS INBOX (MESSAGES)", "a1 NO [UNAVAILABLE] …");
  await using full = await Talk.open({ openStore: () => failing("ENOSPC") });
  await full.says("a1 STATUS INBOX (MESSAGES)", "a1 NO [OVERQUOTA] …");
});

test("a mistake of the server itself is said, the session goes on, and the mistake is thrown in the end", async () => {
  const openStore = (): MailStore => ({
    ...memoryMail().store(),
    quota() {
      throw new TypeError("x is not a function");
    },
  });
  const talk = await Talk.open({ openStore });
  await talk.says('a1 GETQUOTA ""', "a1 NO [SERVERBUG] …x is not a function");
  await talk.says("a2 NOOP", "a2 OK …");
  await assert.rejects(talk[Symbol.asyncDispose](), TypeError);
});

test("a mailbox that another put in place of the selected one ends the connection", async () => {
  const openStore = (): MailStore => {
    const store = memoryMail().store();
    const open = (name: string, options: { readonly isReadOnly: boolean }): OpenMailbox => {
      return Object.assign(store.open(name, options), {
        sync() {
          throw new Failure("failed", "cannot go on with the mailbox: it is another");
        },
      });
    };
    return { ...store, open };
  };
  await using talk = await Talk.open({ openStore });
  await talk.answerTo("a1 SELECT INBOX");
  await talk.says("a2 NOOP", "a2 OK …");
  assert.equal(await talk.rest(), "* BYE cannot go on with the mailbox: it is another\r\n");
  await using idle = await Talk.open({ openStore });
  await idle.answerTo("a1 SELECT INBOX");
  await idle.says("a2 IDLE", "+ idling", "a2 NO [UNAVAILABLE] …", "* BYE …");
});
