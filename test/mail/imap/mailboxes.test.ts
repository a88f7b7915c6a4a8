import { test } from "node:test";
import type { MemoryMail } from "../memory-store.ts";
import { follow, memoryMail } from "./talk.ts";

async function withMailboxes(...names: readonly string[]): Promise<MemoryMail> {
  const mail = memoryMail();
  for (const name of names) await mail.store().create(name);
  return mail;
}

test("CREATE, RENAME, DELETE (RFC 9051 §6.3.4 to §6.3.6; RFC 8474 §4.1)", async () => {
  await follow(`C: A1 CREATE owatagusiam/
    S: A1 OK [MAILBOXID (F2)] …
    C: A2 CREATE owatagusiam/blurdybloop
    S: A2 OK [MAILBOXID (F3)] …
    C: A3 CREATE INBOX
    S: A3 NO [ALREADYEXISTS] …
    C: A4 RENAME owatagusiam zowie
    S: A4 OK …
    C: A5 LIST "" *
    S: * LIST (\\HasNoChildren) "/" "INBOX"
    S: * LIST (\\HasChildren) "/" "zowie"
    S: * LIST (\\HasNoChildren) "/" "zowie/blurdybloop"
    S: A5 OK …
    C: A6 DELETE zowie/blurdybloop
    S: A6 OK …
    C: A7 DELETE zowie/blurdybloop
    S: A7 NO [NONEXISTENT] …
    C: A8 DELETE INBOX
    S: A8 NO [CANNOT] …
    C: A9 RENAME blurdybloop other
    S: A9 NO [NONEXISTENT] …`);
});

test("a level that has only mailboxes below it is told as such, and cannot be deleted or selected", async () => {
  const mail = await withMailboxes("foo/bar");
  await mail.store().delete("foo");
  await follow(
    `C: A1 LIST "" foo*
     S: * LIST (\\Noselect \\HasChildren) "/" "foo"
     S: * LIST (\\HasNoChildren) "/" "foo/bar"
     S: A1 OK …
     C: A2 LIST "" foo RETURN (CHILDREN)
     S: * LIST (\\NonExistent \\HasChildren) "/" "foo"
     S: A2 OK …
     C: A3 DELETE foo
     S: A3 NO [HASCHILDREN] …
     C: A4 SELECT foo
     S: A4 NO [NONEXISTENT] …`,
    { mail },
  );
});

test("deleting the selected mailbox lets go of it", async () => {
  await follow(
    `C: A1 SELECT drafts
     S: * FLAGS …
     S: * 0 EXISTS
     S: * 0 RECENT
     S: * OK [PERMANENTFLAGS …
     S: * OK [UIDVALIDITY 1002] …
     S: * OK [UIDNEXT 1] …
     S: * OK [HIGHESTMODSEQ 1] …
     S: * OK [MAILBOXID (F2)] …
     S: A1 OK [READ-WRITE] …
     C: A2 DELETE drafts
     S: * OK [CLOSED] …
     S: A2 OK …
     C: A3 FETCH 1 FLAGS
     S: A3 BAD …`,
    { mail: await withMailboxes("drafts") },
  );
});

test("LIST with patterns and a reference (RFC 9051 §6.3.9)", async () => {
  await follow(
    `C: A101 LIST "" ""
     S: * LIST (\\Noselect) "/" ""
     S: A101 OK …
     C: A102 LIST "" "foo/%"
     S: * LIST (\\HasChildren) "/" "foo/bar"
     S: A102 OK …
     C: A103 LIST foo/ b*
     S: * LIST (\\HasChildren) "/" "foo/bar"
     S: * LIST (\\HasNoChildren) "/" "foo/bar/baz"
     S: A103 OK …
     C: A104 LIST "" (inbox "foo/%")
     S: * LIST (\\HasNoChildren) "/" "INBOX"
     S: * LIST (\\HasChildren) "/" "foo/bar"
     S: A104 OK …
     C: A106 LIST "" (${"a ".repeat(101).trim()})
     S: A106 BAD that is too many patterns
     C: A105 LIST "" %
     S: * LIST (\\HasNoChildren) "/" "INBOX"
     S: * LIST (\\HasChildren) "/" "foo"
     S: A105 OK …`,
    { mail: await withMailboxes("foo/bar/baz") },
  );
});

test("subscribed mailboxes by LSUB and by LIST (RFC 3501 §6.3.9, RFC 5258 §5)", async () => {
  const mail = await withMailboxes("Fruit/Apple", "Fruit/Banana", "Tofu", "Vegetable/Broccoli");
  await follow(
    `C: A1 SUBSCRIBE inbox
     S: A1 OK …
     C: A2 SUBSCRIBE "Fruit/Banana"
     S: A2 OK …
     C: A3 SUBSCRIBE Fruit/Peach
     S: A3 OK …
     C: A4 SUBSCRIBE Vegetable
     S: A4 OK …
     C: A5 UNSUBSCRIBE Tofu
     S: A5 OK …
     C: A02 LIST (SUBSCRIBED) "" "*"
     S: * LIST (\\HasNoChildren \\Subscribed) "/" "INBOX"
     S: * LIST (\\HasNoChildren \\Subscribed) "/" "Fruit/Banana"
     S: * LIST (\\NonExistent \\HasNoChildren \\Subscribed) "/" "Fruit/Peach"
     S: * LIST (\\HasChildren \\Subscribed) "/" "Vegetable"
     S: A02 OK …
     C: A03 LIST () "" "%" RETURN (SUBSCRIBED)
     S: * LIST (\\HasNoChildren \\Subscribed) "/" "INBOX"
     S: * LIST (\\HasChildren) "/" "Fruit"
     S: * LIST (\\HasNoChildren) "/" "Tofu"
     S: * LIST (\\HasChildren \\Subscribed) "/" "Vegetable"
     S: A03 OK …
     C: A04 LIST (SUBSCRIBED RECURSIVEMATCH) "" "%"
     S: * LIST (\\HasNoChildren \\Subscribed) "/" "INBOX"
     S: * LIST (\\HasChildren) "/" "Fruit" ("CHILDINFO" ("SUBSCRIBED"))
     S: * LIST (\\HasChildren \\Subscribed) "/" "Vegetable"
     S: A04 OK …
     C: A05 LIST (RECURSIVEMATCH) "" "%"
     S: A05 BAD …
     C: A06 LSUB "" "%"
     S: * LSUB (\\HasNoChildren) "/" "INBOX"
     S: * LSUB (\\Noselect \\HasChildren) "/" "Fruit"
     S: * LSUB (\\HasChildren) "/" "Vegetable"
     S: A06 OK …
     C: A07 LSUB "Fruit/" "*"
     S: * LSUB (\\HasNoChildren) "/" "Fruit/Banana"
     S: * LSUB (\\Noselect \\HasNoChildren) "/" "Fruit/Peach"
     S: A07 OK …`,
    { mail },
  );
});

test("LIST-STATUS tells the status of what it lists (RFC 5819 §4)", async () => {
  const mail = await withMailboxes("foo");
  mail.add("foo", "Subject: 1\n\n1\n");
  await follow(
    `C: A01 LIST "" % RETURN (STATUS (MESSAGES UNSEEN))
     S: * LIST (\\HasNoChildren) "/" "INBOX"
     S: * STATUS "INBOX" (MESSAGES 0 UNSEEN 0)
     S: * LIST (\\HasNoChildren) "/" "foo"
     S: * STATUS "foo" (MESSAGES 1 UNSEEN 1)
     S: A01 OK …`,
    { mail },
  );
});

test("what mailboxes are for (RFC 6154)", async () => {
  await follow(`C: t1 CREATE MySpecial (USE (\\Drafts \\Sent))
    S: t1 OK …
    C: t2 CREATE Everything (USE (\\All))
    S: t2 NO [USEATTR] …
    C: t3 LIST (SPECIAL-USE) "" *
    S: * LIST (\\HasNoChildren \\Drafts \\Sent) "/" "MySpecial"
    S: t3 OK …
    C: t4 LIST "" * RETURN (SPECIAL-USE)
    S: * LIST (\\HasNoChildren) "/" "INBOX"
    S: * LIST (\\HasNoChildren \\Drafts \\Sent) "/" "MySpecial"
    S: t4 OK …`);
});

test("STATUS with all that can be asked (RFC 9051 §6.3.11, RFC 7162, RFC 7889, RFC 8438, RFC 8474)", async () => {
  const mail = await withMailboxes("blurdybloop");
  mail.add("blurdybloop", "Subject: 1\n\n1\n", { content: Buffer.from("\n"), flags: ["\\Seen", "\\Deleted"] });
  await follow(
    `C: A042 STATUS blurdybloop (UIDNEXT MESSAGES)
     S: * STATUS "blurdybloop" (UIDNEXT 3 MESSAGES 2)
     S: A042 OK …
     C: A043 STATUS blurdybloop (UNSEEN DELETED SIZE RECENT UIDVALIDITY MAILBOXID APPENDLIMIT HIGHESTMODSEQ)
     S: * STATUS "blurdybloop" (UNSEEN 1 DELETED 1 SIZE 19 RECENT 0 UIDVALIDITY 1002 MAILBOXID (F2) APPENDLIMIT 67108864 HIGHESTMODSEQ 3)
     S: A043 OK …
     C: A044 STATUS nothing (MESSAGES)
     S: A044 NO [NONEXISTENT] …
     C: A045 STATUS blurdybloop (FOO)
     S: A045 BAD …`,
    { mail },
  );
});

test("names are in modified UTF-7 until UTF-8 is enabled (RFC 3501 §5.1.3, RFC 6855)", async () => {
  await follow(`C: A1 CREATE "~peter/mail/&U,BTFw-/&ZeVnLIqe-"
    S: A1 OK …
    C: A2 LIST "" "~peter/mail/*"
    S: * LIST (\\HasChildren) "/" "~peter/mail/&U,BTFw-"
    S: * LIST (\\HasNoChildren) "/" "~peter/mail/&U,BTFw-/&ZeVnLIqe-"
    S: A2 OK …
    C: A3 CREATE "&Jjo!"
    S: A3 BAD …
    C: A4 CREATE "&U,BTFw-&ZeVnLIqe-"
    S: A4 BAD …
    C: A5 ENABLE UTF8=ACCEPT
    S: * ENABLED UTF8=ACCEPT
    S: A5 OK …
    C: A6 CREATE "Entwürfe & mehr"
    S: A6 OK …
    C: A7 LIST "" E*
    S: * LIST (\\HasNoChildren) "/" "${Buffer.from("Entwürfe & mehr").toString("latin1")}"
    S: A7 OK …`);
});

test("NAMESPACE (RFC 9051 §6.3.10) and quotas (RFC 9208 §4)", async () => {
  const mail = memoryMail({ limitBytes: 512_000, limitMessages: 10 });
  mail.add("INBOX", `\n${"x".repeat(10_000)}`);
  await follow(
    `C: A001 NAMESPACE
     S: * NAMESPACE (("" "/")) NIL NIL
     S: A001 OK …
     C: G0002 GETQUOTA ""
     S: * QUOTA "" (STORAGE 10 500 MESSAGE 1 10)
     S: G0002 OK …
     C: G0003 GETQUOTAROOT INBOX
     S: * QUOTAROOT "INBOX" ""
     S: * QUOTA "" (STORAGE 10 500 MESSAGE 1 10)
     S: G0003 OK …
     C: G0004 GETQUOTA "!partition/sda4"
     S: G0004 NO [NONEXISTENT] …
     C: S0000 SETQUOTA "" (STORAGE 512)
     S: S0000 NO [NOPERM] …
     C: A003 APPEND INBOX {600000+}
     C: ${"x".repeat(600_000)}
     S: A003 NO [OVERQUOTA] …`,
    { mail },
  );
});
