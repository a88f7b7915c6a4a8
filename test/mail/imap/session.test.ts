import { test } from "node:test";
import { follow, memoryMail } from "./talk.ts";

test("a session as RFC 9051 §8 shows it: log in, select, fetch, store, log out", async () => {
  const mail = memoryMail();
  mail.add("INBOX", {
    content: Buffer.from(
      [
        "Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)",
        "From: Terry Gray <gray@cac.washington.edu>",
        "Subject: IMAP4rev2 WG mtg summary and minutes",
        "To: imap@cac.washington.edu",
        "cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>",
        "Message-Id: <B27397-0100000@cac.washington.edu>",
        "MIME-Version: 1.0",
        "Content-Type: TEXT/PLAIN; CHARSET=US-ASCII",
        "",
        "Minutes.",
        "",
      ].join("\n"),
    ),
    receivedMs: Date.UTC(1996, 6, 17, 9, 44, 25),
  });
  await follow(
    `C: a002 select inbox
     S: * FLAGS (\\Answered \\Deleted \\Draft \\Flagged \\Seen)
     S: * 1 EXISTS
     S: * 0 RECENT
     S: * OK [UNSEEN 1] …
     S: * OK [PERMANENTFLAGS (\\Answered \\Deleted \\Draft \\Flagged \\Seen \\*)] …
     S: * OK [UIDVALIDITY 1001] …
     S: * OK [UIDNEXT 2] …
     S: * OK [HIGHESTMODSEQ 2] …
     S: * OK [MAILBOXID (F1)] …
     S: a002 OK [READ-WRITE] …
     C: a003 fetch 1 full
     S: * 1 FETCH (FLAGS () INTERNALDATE "17-Jul-1996 09:44:25 +0000" RFC822.SIZE 352 ENVELOPE ("Wed, 17 Jul 1996 02:23:25 -0700 (PDT)" "IMAP4rev2 WG mtg summary and minutes" (("Terry Gray" NIL "gray" "cac.washington.edu")) (("Terry Gray" NIL "gray" "cac.washington.edu")) (("Terry Gray" NIL "gray" "cac.washington.edu")) ((NIL NIL "imap" "cac.washington.edu")) ((NIL NIL "minutes" "CNRI.Reston.VA.US")("John Klensin" NIL "KLENSIN" "MIT.EDU")) NIL NIL "<B27397-0100000@cac.washington.edu>") BODY ("text" "plain" ("charset" "US-ASCII") NIL NIL "7bit" 10 1))
     S: a003 OK …
     C: a004 fetch 1 body[header.fields (subject)]
     S: * 1 FETCH (BODY[HEADER.FIELDS (subject)] {49}
     S: Subject: IMAP4rev2 WG mtg summary and minutes
     S:
     S:  FLAGS (\\Seen))
     S: a004 OK …
     C: a005 store 1 +flags \\deleted
     S: * 1 FETCH (FLAGS (\\Deleted \\Seen))
     S: a005 OK …`,
    { mail },
  );
});
