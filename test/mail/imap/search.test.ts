import { suite, test } from "node:test";
import assert from "node:assert/strict";
import type { MemoryMail } from "../memory-store.ts";
import { follow, memoryMail, Talk } from "./talk.ts";

function mailWith(
  ...messages: readonly (readonly [text: string, flags?: readonly string[], receivedMs?: number])[]
): MemoryMail {
  const mail = memoryMail();
  for (const [text, flags = [], receivedMs = Date.UTC(2020, 0, 15)] of messages) {
    mail.add("INBOX", { content: Buffer.from(text), flags, receivedMs });
  }
  return mail;
}

suite("SEARCH", () => {
  const mail = (): MemoryMail => {
    return mailWith(
      [
        "From: Smith <smith@example.org>\r\nTo: joe@example.org\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nDate: Fri, 31 Jan 2020 23:30:00 -0600\r\n\r\nhello café\r\n",
        ["\\Seen", "$Important"],
      ],
      [
        "From: pat@example.org\r\nCc: smith@example.org\r\nSubject: two\r\nX-List: a\r\n\r\nbye\r\n",
        ["\\Deleted", "\\Seen"],
        Date.UTC(2020, 0, 31, 23, 59),
      ],
      [
        "From: pat@example.org\r\nSubject: three\r\nDate: Sat, 1 Feb 2020 00:10:00 +0200\r\n\r\nsomething longer than the others\r\n",
        ["\\Flagged"],
        Date.UTC(2020, 1, 1, 11, 59, 30),
      ],
    );
  };
  const found: Readonly<Record<string, string>> = {
    ALL: "1 2 3",
    SEEN: "1 2",
    UNSEEN: "3",
    FLAGGED: "3",
    UNDELETED: "1 3",
    ANSWERED: "",
    DRAFT: "",
    "KEYWORD $important": "1",
    "UNKEYWORD $Important": "2 3",
    NEW: "",
    RECENT: "",
    OLD: "1 2 3",
    "2:*": "2 3",
    "*": "3",
    "1,3": "1 3",
    "3:1": "1 2 3",
    "7": "",
    "UID 2:3": "2 3",
    "UID 100:*": "3",
    "FROM smith": "1",
    "TO JOE": "1",
    "CC smith": "2",
    "BCC smith": "",
    'SUBJECT ""': "1 2 3",
    'HEADER X-List ""': "2",
    "HEADER x-list A": "2",
    "BODY hello": "1",
    "TEXT smith": "1 2",
    "LARGER 120": "1",
    "SMALLER 95": "2",
    "BEFORE 31-Jan-2020": "1",
    "ON 31-Jan-2020": "2",
    "SINCE 31-Jan-2020": "2 3",
    'SENTON "31-Jan-2020"': "1",
    "SENTBEFORE 1-Feb-2020": "1",
    "SENTSINCE 1-Feb-2020": "3",
    "SAVEDON 1-Feb-2020": "1 2 3",
    "SAVEDBEFORE 1-Feb-2020": "",
    "SAVEDSINCE 1-Feb-2020": "1 2 3",
    SAVEDATESUPPORTED: "1 2 3",
    "YOUNGER 60": "3",
    "OLDER 60": "1 2",
    "NOT SEEN": "3",
    "OR FLAGGED FROM smith": "1 3",
    "OR (SEEN DELETED) (FLAGGED UNSEEN)": "2 3",
    "NOT (SEEN NOT DELETED)": "2 3",
    "SEEN FROM pat": "2",
    "(1:2) (2:3)": "2",
    "EMAILID nosuch": "",
    "THREADID T1": "",
    "CHARSET UTF-8 SEEN": "1 2",
  };

  test("finds by each key", async () => {
    await using talk = await Talk.open({ mail: mail() });
    await talk.answerTo("a SELECT INBOX");
    for (const [keys, numbers] of Object.entries(found)) {
      const answer = await talk.answerTo(`b SEARCH ${keys}`);
      assert.deepEqual(answer, [`* SEARCH${numbers === "" ? "" : ` ${numbers}`}`, "b OK Searched."], keys);
    }
  });

  test("says what is wrong with a search, and goes on", async () => {
    await using talk = await Talk.open({ mail: mail() });
    await talk.answerTo("a SELECT INBOX");
    for (const keys of [
      "",
      " ",
      " NOSUCH",
      " NOT",
      " OR SEEN",
      " KEYWORD",
      " LARGER x",
      " LARGER -1",
      " BEFORE 31-Feb-2020",
      " BEFORE yesterday",
      " YOUNGER 0",
      " UID x",
      " (SEEN",
      " HEADER subject",
      " RETURN SEEN",
      " RETURN (NOSUCH) SEEN",
      " RETURN (ALL PARTIAL 1:2) SEEN",
      " RETURN (PARTIAL 1:-2) SEEN",
      ' MODSEQ "/flags/\\\\seen" nobody 1',
      ` ${"NOT ".repeat(1001)}SEEN`,
    ]) {
      await talk.says(`b SEARCH${keys}`, "b BAD …");
      await talk.says("c NOOP", "c OK …");
    }
    await talk.says("d SEARCH CHARSET x-none SUBJECT a", "d NO [BADCHARSET (UTF-8 US-ASCII)] …");
    await talk.says(`e SEARCH ${"NOT ".repeat(1000)}SEEN`, "* SEARCH 1 2", "e OK …");
    await talk.says(`f SEARCH ${"OR 1 ".repeat(999)}2`, "* SEARCH 1 2", "f OK …");
  });

  test("gives what is asked for, as RFC 4731 and RFC 9394 show it", () => {
    return follow(
      `C: a SELECT INBOX
       S: …
       S: …
       S: …
       S: …
       S: …
       S: …
       S: …
       S: …
       S: …
       S: a OK …
       C: A282 SEARCH RETURN (MIN COUNT) SEEN
       S: * ESEARCH (TAG "A282") MIN 1 COUNT 2
       S: A282 OK …
       C: A283 SEARCH RETURN () UNDELETED
       S: * ESEARCH (TAG "A283") ALL 1,3
       S: A283 OK …
       C: A284 UID SEARCH RETURN (MAX ALL) ALL
       S: * ESEARCH (TAG "A284") UID MAX 3 ALL 1:3
       S: A284 OK …
       C: A285 SEARCH RETURN (MIN MAX ALL COUNT) ANSWERED
       S: * ESEARCH (TAG "A285") COUNT 0
       S: A285 OK …
       C: A286 UID SEARCH RETURN (PARTIAL 2:100) ALL
       S: * ESEARCH (TAG "A286") UID PARTIAL (2:100 2:3)
       S: A286 OK …
       C: A287 UID SEARCH RETURN (PARTIAL -1:-2 COUNT) ALL
       S: * ESEARCH (TAG "A287") UID COUNT 3 PARTIAL (-1:-2 2:3)
       S: A287 OK …
       C: A288 UID SEARCH RETURN (PARTIAL 4:5) ALL
       S: * ESEARCH (TAG "A288") UID PARTIAL (4:5 NIL)
       S: A288 OK …`,
      { mail: mail() },
    );
  });

  test("fetches a part of messages, as RFC 9394 shows it", async () => {
    await using talk = await Talk.open({ mail: mail() });
    await talk.answerTo("a SELECT INBOX");
    await talk.says("b UID FETCH 1:* (UID) (PARTIAL -1:-2)", "* 2 FETCH (UID 2)", "* 3 FETCH (UID 3)", "b OK …");
    await talk.says("c UID FETCH 2:* (UID) (PARTIAL 1:1)", "* 2 FETCH (UID 2)", "c OK …");
    await talk.says("d UID FETCH 1:* (UID) (PARTIAL 4:9)", "d OK …");
    await talk.says("e FETCH 1:* (UID) (PARTIAL 1:1)", "e BAD …");
    await talk.says("f UID FETCH 1:* (UID) (PARTIAL 0:1)", "f BAD …");
  });

  test("keeps a result for $, as RFC 5182 shows it", async () => {
    await using talk = await Talk.open({ mail: mail() });
    await talk.answerTo("a SELECT INBOX");
    await talk.says("b SEARCH RETURN (SAVE) SEEN", "b OK …");
    await talk.says("c FETCH $ (UID)", "* 1 FETCH (UID 1)", "* 2 FETCH (UID 2)", "c OK …");
    await talk.says("d SEARCH $ DELETED", "* SEARCH 2", "d OK …");
    await talk.says("e UID SEARCH UID $", "* SEARCH 1 2", "e OK …");
    await talk.says("f SEARCH RETURN (SAVE MIN) ALL", '* ESEARCH (TAG "f") MIN 1', "f OK …");
    await talk.says("g SEARCH $", "* SEARCH 1", "g OK …");
    await talk.says("h SEARCH RETURN (SAVE MIN MAX) ALL", '* ESEARCH (TAG "h") MIN 1 MAX 3', "h OK …");
    await talk.says("i SEARCH NOT $", "* SEARCH 2", "i OK …");
    await talk.says("j SEARCH RETURN (SAVE COUNT MIN) ALL", '* ESEARCH (TAG "j") MIN 1 COUNT 3', "j OK …");
    await talk.says("k SEARCH $", "* SEARCH 1 2 3", "k OK …");
    await talk.says("l SEARCH RETURN (SAVE) ANSWERED", "l OK …");
    await talk.says("m SEARCH $", "* SEARCH", "m OK …");
  });

  test("tells modSeqs where they are searched for (RFC 7162 §3.1.5)", async () => {
    await using talk = await Talk.open({ mail: mail() });
    await talk.answerTo("a SELECT INBOX");
    const [highest] = await talk.answerTo("b SEARCH MODSEQ 3");
    assert.match(highest ?? "", /^\* OK \[HIGHESTMODSEQ /);
    await talk.says('c SEARCH MODSEQ "/flags/\\\\draft" all 3', "* SEARCH 2 3 (MODSEQ 4)", "c OK …");
    await talk.says("d SEARCH RETURN (ALL) MODSEQ 4", '* ESEARCH (TAG "d") ALL 3 MODSEQ 4', "d OK …");
    await talk.says("e SEARCH MODSEQ 99999", "* SEARCH", "e OK …");
  });

  test("answers at length to clients of IMAP4rev2", async () => {
    await using talk = await Talk.open({ mail: mail() });
    await talk.answerTo("a ENABLE IMAP4rev2");
    await talk.answerTo("b SELECT INBOX");
    await talk.says("c SEARCH SEEN", '* ESEARCH (TAG "c") ALL 1:2', "c OK …");
    await talk.says("d UID SEARCH ANSWERED", '* ESEARCH (TAG "d") UID', "d OK …");
  });

  test("takes no charset from clients that said UTF8=ACCEPT (RFC 6855 §3)", async () => {
    await using talk = await Talk.open({ mail: mail() });
    await talk.answerTo("a ENABLE UTF8=ACCEPT");
    await talk.answerTo("b SELECT INBOX");
    await talk.says("c SEARCH CHARSET UTF-8 SUBJECT two", "c BAD …");
    await talk.says('d SEARCH BODY "café"', "* SEARCH 1", "d OK …");
  });

  test("reads texts in the charset that is named", async () => {
    await using talk = await Talk.open({ mail: mail() });
    await talk.answerTo("a SELECT INBOX");
    talk.send("b SEARCH CHARSET ISO-8859-1 BODY {4+}\r\n");
    talk.send(Buffer.from("caf\xe9\r\n", "latin1"));
    await talk.expect("* SEARCH 1");
    await talk.expect("b OK …");
  });
});
