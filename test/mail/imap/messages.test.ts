import assert from "node:assert/strict";
import { test } from "node:test";
import type { MemoryMail } from "../memory-store.ts";
import { follow, memoryMail, Talk } from "./talk.ts";

const selected = `C: s1 SELECT INBOX
  S: * FLAGS …
  S: * … EXISTS
  S: * 0 RECENT
  S: * OK […
  S: * OK […
  S: * OK […
  S: * OK […
  S: * OK […
  S: s1 OK …
`;

function mailOf(count: number): MemoryMail {
  const mail = memoryMail();
  // Read already, so that SELECT has no UNSEEN to tell.
  for (let index = 1; index <= count; index++) {
    mail.add("INBOX", { content: Buffer.from(`Subject: ${index}\n\ntext ${index}\n`), flags: ["\\Seen"] });
  }
  return mail;
}

// RFC 3501 §6.4.5: HEADER and TEXT of the message, of a message within, and of its parts.
const nested = `From: a@example.org
Subject: outer
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=outer

--outer
Content-Type: text/plain

first
--outer
Content-Type: message/rfc822

Subject: inner
From: b@example.org
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary=inner

--inner
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: base64

w6TDtsO8AA==
--inner
Content-Type: text/html
Content-Transfer-Encoding: x-unknown

<p>
--inner--
--outer--
`;

test("sections of a message, of its parts and of messages within (RFC 9051 §6.4.5.1)", async () => {
  const mail = memoryMail();
  mail.add("INBOX", { content: Buffer.from(nested), flags: ["\\Seen"] });
  await follow(
    `${selected}
     C: f1 FETCH 1 (BODY.PEEK[1] BODY.PEEK[1.MIME])
     S: * 1 FETCH (BODY[1] {5}
     S: first BODY[1.MIME] {28}
     S: Content-Type: text/plain
     S:
     S: )
     S: f1 OK …
     C: f2 FETCH 1 BODY.PEEK[2.HEADER.FIELDS (Subject To)]
     S: * 1 FETCH (BODY[2.HEADER.FIELDS (Subject To)] {18}
     S: Subject: inner
     S:
     S: )
     S: f2 OK …
     C: f3 FETCH 1 (BODY.PEEK[2.2] BODY.PEEK[3] BODY.PEEK[2.3.MIME] BODY.PEEK[2.1.MIME]<14.10>)
     S: * 1 FETCH (BODY[2.2] {3}
     S: <p> BODY[3] NIL BODY[2.3.MIME] NIL BODY[2.1.MIME]<14> {10}
     S: text/plain)
     S: f3 OK …
     C: f4 FETCH 1 BODY[HEADER.FIELDS.NOT (From MIME-Version Content-Type)]
     S: * 1 FETCH (BODY[HEADER.FIELDS.NOT (From MIME-Version Content-Type)] {18}
     S: Subject: outer
     S:
     S: )
     S: f4 OK …
     C: f5 FETCH 1 (BODY[]<0.5> BODY[]<100000.5> RFC822.SIZE)
     S: * 1 FETCH (BODY[]<0> {5}
     S: From: BODY[]<100000> {0}
     S:  RFC822.SIZE …)
     S: f5 OK …
     C: f6 FETCH 1 BODY[MIME]
     S: f6 BAD …
     C: f7 FETCH 1 BODY[]<5.0>
     S: f7 BAD …
     C: f8 FETCH 1 BODY[2.TEXT]<0.7>
     S: * 1 FETCH (BODY[2.TEXT]<0> {7}
     S: --inner)
     S: f8 OK …`,
    { mail },
  );
});

test("parts without their transfer encoding (BINARY, RFC 3516)", async () => {
  const mail = memoryMail();
  mail.add("INBOX", { content: Buffer.from(nested), flags: ["\\Seen"] });
  await follow(
    `${selected}
     C: b1 FETCH 1 (BINARY.SIZE[2.1] BINARY[2.1]<1.4> BINARY[9])
     S: * 1 FETCH (BINARY.SIZE[2.1] 7 BINARY[2.1]<1> {4}
     S: ${Buffer.from("äöü").subarray(1, 5).toString("latin1")} BINARY[9] NIL)
     S: b1 OK …
     C: b2 FETCH 1 BINARY.PEEK[2.1]
     S: * 1 FETCH (BINARY[2.1] ~{7}
     S: ${Buffer.from("äöü\0").toString("latin1")})
     S: b2 OK …
     C: b3 FETCH 1 BINARY[2.2]
     S: b3 NO [UNKNOWN-CTE] …
     C: b4 APPEND INBOX ~{11}
     S: + OK
     C: Subject: 8b
     S: * 2 EXISTS
     S: b4 OK [APPENDUID 1001 2] …
     C: b5 APPEND INBOX ~{1+}
     C: \0
     S: b5 NO [UNKNOWN-CTE] …`,
    { mail },
  );
});

test("the other things to fetch: dates, ids, preview, the names of RFC 3501", async () => {
  const mail = memoryMail();
  mail.add("INBOX", {
    content: Buffer.from("From: joe@example.org\nSubject: lunch\n\nFancy a sandwich?\n"),
    receivedMs: Date.UTC(2020, 0, 5, 3, 4, 5),
    flags: ["\\Seen", "$MDNSent"],
  });
  await follow(
    `${selected}
     C: 1 FETCH 1 (UID FLAGS INTERNALDATE RFC822.SIZE MODSEQ EMAILID THREADID SAVEDATE PREVIEW (LAZY))
     S: * OK [HIGHESTMODSEQ 2] …
     S: * 1 FETCH (UID 1 FLAGS ($MDNSent \\Seen) INTERNALDATE " 5-Jan-2020 03:04:05 +0000" RFC822.SIZE 60 MODSEQ (2) EMAILID (M…) THREADID NIL SAVEDATE " 1-Feb-2020 12:00:00 +0000" PREVIEW "Fancy a sandwich?")
     S: 1 OK …
     C: 2 FETCH 1 (RFC822.HEADER RFC822.TEXT PREVIEW)
     S: * 1 FETCH (RFC822.HEADER {41}
     S: From: joe@example.org
     S: Subject: lunch
     S:
     S:  RFC822.TEXT {19}
     S: Fancy a sandwich?
     S:  PREVIEW "Fancy a sandwich?")
     S: 2 OK …
     C: 3 UID FETCH 1:* (ENVELOPE BODYSTRUCTURE)
     S: * 1 FETCH (UID 1 ENVELOPE (NIL "lunch" ((NIL NIL "joe" "example.org")) ((NIL NIL "joe" "example.org")) ((NIL NIL "joe" "example.org")) NIL NIL NIL NIL NIL) BODYSTRUCTURE ("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 19 1 NIL NIL NIL NIL))
     S: 3 OK …
     C: 4 FETCH 1 FAST
     S: * 1 FETCH (FLAGS ($MDNSent \\Seen) INTERNALDATE "…" RFC822.SIZE 60)
     S: 4 OK …
     C: 5 FETCH 1 (FLAGS FOO)
     S: 5 BAD …
     C: 6 FETCH 2 FLAGS
     S: 6 BAD there are 1 messages, and none of that number
     C: 7 UID FETCH 2 FLAGS
     S: 7 OK …`,
    { mail },
  );
});

test("FETCH of a body marks it as read, but not with PEEK nor after EXAMINE", async () => {
  const mail = memoryMail();
  mail.add("INBOX", "Subject: 1\n\n1\n", "Subject: 2\n\n2\n");
  await using talk = await Talk.open({ mail });
  await talk.answerTo("a EXAMINE INBOX");
  assert.match(
    (await talk.answerTo("b FETCH 1 BODY[TEXT]")).join("\n"),
    /^\* 1 FETCH \(BODY\[TEXT\] \{3\}\n1\n\)\nb OK/,
  );
  assert.deepEqual(await talk.answerTo("c STORE 1 +FLAGS (\\Seen)"), [
    "c NO [CANNOT] The mailbox is open for reading only.",
  ]);
  await talk.answerTo("d SELECT INBOX");
  await talk.answerTo("e FETCH 1 BODY.PEEK[TEXT]");
  assert.equal((await talk.answerTo("f FETCH 1 FLAGS"))[0], "* 1 FETCH (FLAGS ())");
  assert.equal((await talk.answerTo("g FETCH 1:2 RFC822.TEXT"))[2], " FLAGS (\\Seen))");
  assert.equal((await talk.answerTo("h FETCH 2 FLAGS"))[0], "* 2 FETCH (FLAGS (\\Seen))");
});

test("STORE replaces, adds and removes flags (RFC 9051 §6.4.6)", async () => {
  await follow(
    `${selected}
     C: A003 STORE 2:4 +FLAGS (\\Deleted)
     S: * 2 FETCH (FLAGS (\\Deleted \\Seen))
     S: * 3 FETCH (FLAGS (\\Deleted \\Seen))
     S: * 4 FETCH (FLAGS (\\Deleted \\Seen))
     S: A003 OK …
     C: A004 UID STORE 2 FLAGS \\flagged Urgent
     S: * FLAGS (\\Answered \\Deleted \\Draft \\Flagged \\Seen Urgent)
     S: * OK [PERMANENTFLAGS (\\Answered \\Deleted \\Draft \\Flagged \\Seen Urgent \\*)] …
     S: * 2 FETCH (UID 2 FLAGS (Urgent \\Flagged))
     S: A004 OK …
     C: A005 STORE 2 -FLAGS.SILENT (urgent \\Recent)
     S: A005 OK …
     C: A006 FETCH 2 FLAGS
     S: * 2 FETCH (FLAGS (\\Flagged))
     S: A006 OK …
     C: A007 STORE 2 FLAGS ()
     S: * 2 FETCH (FLAGS ())
     S: A007 OK …
     C: A008 STORE 2 FLAGS (\\Nonsense)
     S: A008 BAD …`,
    { mail: mailOf(4) },
  );
});

test("EXPUNGE tells numbers that hold, UID EXPUNGE removes only its own, CLOSE tells nothing (RFC 9051 §6.4)", async () => {
  await follow(
    `${selected}
     C: A1 STORE 3,4,7,8 +FLAGS.SILENT \\Deleted
     S: A1 OK …
     C: A2 UID EXPUNGE 8:*
     S: * 8 EXPUNGE
     S: A2 OK …
     C: A202 EXPUNGE
     S: * 7 EXPUNGE
     S: * 4 EXPUNGE
     S: * 3 EXPUNGE
     S: A202 OK …
     C: A3 STORE 1:2 +FLAGS.SILENT \\Deleted
     S: A3 OK …
     C: A4 UNSELECT
     S: A4 OK …
     C: A5 STATUS INBOX (MESSAGES)
     S: * STATUS "INBOX" (MESSAGES 4)
     S: A5 OK …
     ${selected}
     C: A341 CLOSE
     S: A341 OK …
     C: A6 STATUS INBOX (MESSAGES)
     S: * STATUS "INBOX" (MESSAGES 2)
     S: A6 OK …`,
    { mail: mailOf(8) },
  );
});

test("COPY and MOVE tell which message became which (RFC 9051 §6.4.7, §6.4.8)", async () => {
  const mail = mailOf(5);
  await mail.store().create("foo");
  await follow(
    `${selected}
     C: a COPY 2:4 MEETING
     S: a NO [TRYCREATE] …
     C: b COPY 2:4 foo
     S: b OK [COPYUID 1002 2:4 1:3] …
     C: c UID MOVE 4,2 foo
     S: * OK [COPYUID 1002 2,4 4:5] …
     S: * 4 EXPUNGE
     S: * 2 EXPUNGE
     S: c OK …
     C: d UID COPY 2 foo
     S: d OK …
     C: e MOVE 3 INBOX
     S: * OK [COPYUID 1001 5 6] …
     S: * 3 EXPUNGE
     S: * 3 EXISTS
     S: e OK …`,
    { mail },
  );
});

test("APPEND with flags and date, several at once (RFC 9051 §6.3.12, MULTIAPPEND RFC 3502)", async () => {
  const mail = memoryMail();
  await mail.store().create("saved-messages");
  await follow(
    `C: A003 APPEND saved-messages (\\Seen) {10}
     S: + OK
     C: Subject: 1
     S: A003 OK [APPENDUID 1002 1] …
     C: A004 APPEND saved-messages (\\Seen $Junk) " 7-Feb-1994 22:43:04 -0800" {10+}
     C: Subject: 2 (\\Flagged) {10}
     S: + OK
     C: Subject: 3
     S: A004 OK [APPENDUID 1002 2:3] …
     C: A006 EXAMINE saved-messages
     S: * FLAGS (\\Answered \\Deleted \\Draft \\Flagged \\Seen $Junk)
     S: * 3 EXISTS
     S: * 0 RECENT
     S: * OK [UNSEEN 3] …
     S: * OK [PERMANENTFLAGS ()] …
     S: * OK [UIDVALIDITY 1002] …
     S: * OK [UIDNEXT 4] …
     S: * OK [HIGHESTMODSEQ 4] …
     S: * OK [MAILBOXID (F2)] …
     S: A006 OK [READ-ONLY] …
     C: A007 FETCH 2 (FLAGS INTERNALDATE)
     S: * 2 FETCH (FLAGS ($Junk \\Seen) INTERNALDATE " 8-Feb-1994 06:43:04 +0000")
     S: A007 OK …
     C: A008 APPEND nowhere {1+}
     C: x
     S: A008 NO [TRYCREATE] …
     C: A009 APPEND saved-messages {0+}
     C:${" "}
     S: A009 NO [CANNOT] …
     C: A010 APPEND saved-messages "31-Feb-2020 00:00:00 +0000" {1+}
     C: x
     S: A010 BAD …
     C: A011 APPEND saved-messages UTF8 (~{1+}
     C: x)
     S: * 4 EXISTS
     S: A011 OK …`,
    { mail },
  );
});

test("a message that is too large is refused before it is sent, or read over (APPENDLIMIT, RFC 7889)", async () => {
  await follow(
    `C: a1 APPEND INBOX {1001}
     S: a1 NO [TOOBIG] …
     C: a2 APPEND INBOX {1001+}
     C: ${"x".repeat(999)}
     C: ${" "}
     S: a2 NO [TOOBIG] …
     C: a3 APPEND INBOX {1000+}
     C: ${"x".repeat(1000)}
     S: a3 OK [APPENDUID 1001 1] …
     C: a4 APPEND INBOX {800+}
     C: ${"x".repeat(800)} {800+}
     C: ${"x".repeat(800)}
     S: a4 NO [TOOBIG] …`,
    { limits: { messageBytes: 1000, messagesBytes: 1500 } },
  );
});

test("REPLACE puts a message in place of another (RFC 8508)", async () => {
  const mail = mailOf(4);
  await follow(
    `${selected}
     C: R3 REPLACE 4 INBOX (\\Seen \\Draft) {14}
     S: + OK
     C: Subject: draft
     S: * OK [APPENDUID 1001 5] …
     S: * 4 EXPUNGE
     S: * 4 EXISTS
     S: R3 OK …
     C: R4 UID REPLACE 5 Nowhere {1+}
     C: x
     S: R4 NO [TRYCREATE] …
     C: R5 UID REPLACE 1:2 INBOX {1+}
     C: x
     S: R5 BAD …
     C: R6 UID REPLACE 99 INBOX {1+}
     C: x
     S: R6 NO …`,
    { mail },
  );
});

test("a message that another removed keeps its number until EXPUNGE may be sent (RFC 9051 §7.5.1, RFC 2180)", async () => {
  const mail = mailOf(3);
  await using talk = await Talk.open({ mail });
  await talk.follow(selected);
  const other = mail.store().open("INBOX", { isReadOnly: false });
  await other.setFlags([2], { mode: "add", flags: ["\\Deleted"] });
  await other.expunge();
  mail.add("INBOX", "Subject: 4\n\n4\n");
  await talk.follow(`C: a1 FETCH 2 (UID BODY.PEEK[])
    S: * 4 EXISTS
    S: a1 NO [EXPUNGEISSUED] …
    C: a2 STORE 2:3 +FLAGS (\\Flagged)
    S: * 3 FETCH (FLAGS (\\Flagged \\Seen))
    S: a2 NO [EXPUNGEISSUED] …
    C: a3 FETCH 3 UID
    S: * 3 FETCH (UID 3)
    S: a3 OK …
    C: a4 UID FETCH 3 FLAGS
    S: * 3 FETCH (UID 3 FLAGS (\\Flagged \\Seen))
    S: * 2 EXPUNGE
    S: a4 OK …
    C: a5 UID FETCH 3 FLAGS
    S: * 2 FETCH (UID 3 FLAGS (\\Flagged \\Seen))
    S: a5 OK …`);
});

test("a large message, and much of it at once, comes as it is to a reader that is slow", async () => {
  const mail = memoryMail();
  const text = Array.from({ length: 40_000 }, (_, line) => `line ${line} of a large message\r\n`).join("");
  const header = "Subject: large\r\nX-More: field\r\n\r\n";
  mail.add("INBOX", { content: Buffer.from(header + text), flags: ["\\Seen"] });
  await using talk = await Talk.open({ mail, limits: { waitingOutputBytes: 10_000 } });
  await talk.answerTo("a1 SELECT INBOX");
  const parts = {
    "BODY[]": header + text,
    "BODY[]<10>": (header + text).slice(10, 10 + 900_000),
    "BODY[TEXT]": text,
    "BODY[HEADER]": header,
    "BODY[HEADER.FIELDS (X-More)]": "X-More: field\r\n\r\n",
    "BINARY[1]": text,
  };
  const asked = "BODY[] BODY[]<10.900000> BODY.PEEK[] BODY[TEXT] BODY[HEADER] BODY[HEADER.FIELDS (X-More)] BINARY[1]";
  const lines = await talk.answerTo(`a2 FETCH 1 (${asked})`);
  const told = Object.entries(parts).map(([label, part]) => `${label} {${part.length}}\r\n${part}`);
  assert.ok(lines.join("\r\n").startsWith(`* 1 FETCH (${told.join(" ")})\r\na2 OK`));
});
