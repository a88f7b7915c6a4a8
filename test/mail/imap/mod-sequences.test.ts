import assert from "node:assert/strict";
import { test } from "node:test";
import type { MemoryMail } from "../memory-store.ts";
import { memoryMail, Talk } from "./talk.ts";

/** Four messages of modSeqs 2 to 5, then as others left it. */
async function changedMail(): Promise<MemoryMail> {
  const mail = memoryMail();
  for (const text of ["1", "2", "3", "4"]) mail.add("INBOX", `Subject: ${text}\n\n${text}\n`);
  return mail;
}

async function changeAsOther(mail: MemoryMail): Promise<void> {
  const other = mail.store().open("INBOX", { isReadOnly: false });
  await other.setFlags([1], { mode: "add", flags: ["\\Deleted"] }); // 6
  await other.expunge(); // 7
  await other.setFlags([3], { mode: "add", flags: ["\\Seen"] }); // 8
}

async function opened(mail: MemoryMail, select: string): Promise<Talk> {
  const talk = await Talk.open({ mail });
  assert.match((await talk.answerTo(select)).at(-1) ?? "", / OK /);
  return talk;
}

test("FETCH CHANGEDSINCE and the modSeq of each message (CONDSTORE, RFC 7162 §3.1.4)", async () => {
  await using talk = await opened(await changedMail(), "a1 SELECT INBOX (CONDSTORE)");
  await talk.follow(`C: s100 FETCH 1:* (FLAGS) (CHANGEDSINCE 3)
    S: * 3 FETCH (FLAGS () MODSEQ (4))
    S: * 4 FETCH (FLAGS () MODSEQ (5))
    S: s100 OK …
    C: s101 UID STORE 2 +FLAGS.SILENT (\\Seen)
    S: * 2 FETCH (UID 2 MODSEQ (6))
    S: s101 OK …
    C: s102 STORE 3 +FLAGS (\\Seen)
    S: * 3 FETCH (UID 3 FLAGS (\\Seen) MODSEQ (7))
    S: s102 OK …
    C: s103 FETCH 1 (FLAGS) (CHANGEDSINCE)
    S: s103 BAD …
    C: s104 FETCH 1 (FLAGS) (VANISHED)
    S: s104 BAD …`);
});

test("STORE UNCHANGEDSINCE leaves what another changed, and says which (RFC 7162 §3.1.3)", async () => {
  const mail = await changedMail();
  await using talk = await opened(mail, "a1 SELECT INBOX");
  await mail
    .store()
    .open("INBOX", { isReadOnly: false })
    .setFlags([2], { mode: "add", flags: ["\\Seen"] });
  await talk.follow(`C: d105 STORE 1:3 (UNCHANGEDSINCE 5) +FLAGS.SILENT (\\Deleted)
    S: * OK [HIGHESTMODSEQ 5] …
    S: * 1 FETCH (UID 1 MODSEQ (7))
    S: * 3 FETCH (UID 3 MODSEQ (8))
    S: * 2 FETCH (UID 2 FLAGS (\\Seen) MODSEQ (6))
    S: d105 OK [MODIFIED 2] …
    C: d106 UID STORE 2 (UNCHANGEDSINCE 0) FLAGS ()
    S: d106 OK [MODIFIED 2] …
    C: d107 UID STORE 2 (UNCHANGEDSINCE 8) FLAGS ()
    S: * 2 FETCH (UID 2 FLAGS () MODSEQ (9))
    S: d107 OK …`);
});

test("whatever speaks of modSeqs turns CONDSTORE on, and says the highest (RFC 7162 §3.1)", async () => {
  await using talk = await opened(await changedMail(), "a1 SELECT INBOX");
  await talk.follow(`C: a2 FETCH 1 (MODSEQ)
    S: * OK [HIGHESTMODSEQ 5] …
    S: * 1 FETCH (MODSEQ (2))
    S: a2 OK …
    C: a3 STATUS INBOX (HIGHESTMODSEQ)
    S: * STATUS "INBOX" (HIGHESTMODSEQ 5)
    S: a3 OK …
    C: a4 STORE 1 +FLAGS.SILENT (\\Deleted)
    S: * 1 FETCH (UID 1 MODSEQ (6))
    S: a4 OK …
    C: a5 EXPUNGE
    S: * 1 EXPUNGE
    S: a5 OK [HIGHESTMODSEQ 7] …`);
});

test("ENABLE tells what it turned on, once (RFC 5161, RFC 7162 §3.2.3)", async () => {
  await using talk = await Talk.open();
  await talk.follow(`C: t1 ENABLE X-GOOD-IDEA
    S: * ENABLED
    S: t1 OK …
    C: t2 ENABLE QRESYNC CONDSTORE
    S: * ENABLED CONDSTORE QRESYNC
    S: t2 OK …
    C: t3 enable imap4REV2 qresync
    S: * ENABLED IMAP4rev2
    S: t3 OK …
    C: t4 ENABLE
    S: t4 BAD …`);
});

test("a client that comes back is told what changed and what vanished (QRESYNC, RFC 7162 §3.2.5)", async () => {
  const mail = await changedMail();
  await changeAsOther(mail);
  await using talk = await Talk.open({ mail });
  await talk.follow(`C: a1 SELECT INBOX (QRESYNC (1001 5))
    S: a1 BAD …
    C: a2 ENABLE QRESYNC
    S: * ENABLED QRESYNC
    S: a2 OK …
    C: a3 SELECT INBOX (QRESYNC (1001 5 1:4 (1,3 1,3)))
    S: * FLAGS …
    S: * 3 EXISTS
    S: * 0 RECENT
    S: * OK [UNSEEN 1] …
    S: * OK [PERMANENTFLAGS …
    S: * OK [UIDVALIDITY 1001] …
    S: * OK [UIDNEXT 5] …
    S: * OK [HIGHESTMODSEQ 8] …
    S: * OK [MAILBOXID (F1)] …
    S: * VANISHED (EARLIER) 1
    S: * 2 FETCH (UID 3 FLAGS (\\Seen) MODSEQ (8))
    S: a3 OK …
    C: a4 SELECT INBOX (QRESYNC (1001 5 2:3))
    S: * OK [CLOSED] …
    S: * FLAGS …
    S: * 3 EXISTS
    S: * 0 RECENT
    S: * OK [UNSEEN 1] …
    S: * OK [PERMANENTFLAGS …
    S: * OK [UIDVALIDITY 1001] …
    S: * OK [UIDNEXT 5] …
    S: * OK [HIGHESTMODSEQ 8] …
    S: * OK [MAILBOXID (F1)] …
    S: * 2 FETCH (UID 3 FLAGS (\\Seen) MODSEQ (8))
    S: a4 OK …`);
  const lines = await talk.answerTo("a5 SELECT INBOX (QRESYNC (999 5))");
  assert.ok(!lines.some((line) => line.includes("VANISHED")), "another UIDVALIDITY: all is to be fetched anew");
});

test("with QRESYNC, VANISHED is told in place of EXPUNGE (RFC 7162 §3.2.10)", async () => {
  const mail = await changedMail();
  await using talk = await opened(mail, "a1 SELECT INBOX");
  await talk.answerTo("a2 ENABLE QRESYNC");
  await changeAsOther(mail);
  await talk.follow(`C: a3 FETCH 4 FLAGS
    S: * 4 FETCH (UID 4 FLAGS ())
    S: * 3 FETCH (UID 3 FLAGS (\\Seen) MODSEQ (8))
    S: a3 OK …
    C: a4 UID FETCH 1:* (FLAGS) (CHANGEDSINCE 5 VANISHED)
    S: * 3 FETCH (UID 3 FLAGS (\\Seen) MODSEQ (8))
    S: * VANISHED 1
    S: a4 OK …
    C: a5 UID FETCH 1:* (FLAGS) (CHANGEDSINCE 5 VANISHED)
    S: * VANISHED (EARLIER) 1
    S: * 2 FETCH (UID 3 FLAGS (\\Seen) MODSEQ (8))
    S: a5 OK …
    C: a6 UID STORE 2:4 +FLAGS.SILENT (\\Deleted)
    S: * 1 FETCH (UID 2 MODSEQ (9))
    S: * 2 FETCH (UID 3 MODSEQ (10))
    S: * 3 FETCH (UID 4 MODSEQ (11))
    S: a6 OK …
    C: a7 UID EXPUNGE 2,4
    S: * VANISHED 2,4
    S: a7 OK [HIGHESTMODSEQ 13] …
    C: a8 CLOSE
    S: a8 OK …`);
});

test("IMAP4rev2 leaves out what it dropped and tells names in UTF-8 (RFC 9051 appendix E)", async () => {
  const mail = await changedMail();
  await mail.store().create("Entwürfe");
  await using talk = await Talk.open({ mail });
  await talk.follow(`C: a1 ENABLE IMAP4rev2
    S: * ENABLED IMAP4rev2
    S: a1 OK …
    C: a2 SELECT INBOX
    S: * FLAGS …
    S: * 4 EXISTS
    S: * OK [PERMANENTFLAGS …
    S: * OK [UIDVALIDITY 1001] …
    S: * OK [UIDNEXT 5] …
    S: * OK [HIGHESTMODSEQ 5] …
    S: * OK [MAILBOXID (F1)] …
    S: * LIST (\\HasNoChildren) "/" "INBOX"
    S: a2 OK …
    C: a3 LIST "" E%
    S: * LIST (\\HasNoChildren) "/" "${Buffer.from("Entwürfe").toString("latin1")}"
    S: a3 OK …
    C: a4 STORE 1 FLAGS (\\Seen)
    S: * 1 FETCH (UID 1 FLAGS (\\Seen))
    S: a4 OK …`);
});
