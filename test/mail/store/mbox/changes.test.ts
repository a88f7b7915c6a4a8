import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { openMbox } from "../../../../src/mail/store/mbox/index.ts";
import type { NewMessage } from "../../../../src/mail/store/index.ts";
import { temporaryFolder } from "../../../temp.ts";

const delivered = (subject: string): string =>
  `From a@b  Mon Nov 30 10:00:00 2026\nSubject: ${subject}\n\n${subject}\n\n`;

function message(subject: string, flags: readonly string[] = []): NewMessage {
  return { content: Buffer.from(`Subject: ${subject}\r\n\r\n${subject}\r\n`), flags, receivedMs: 1.7e12 };
}

test("messages are where they are looked for, whatever moved before them", async () => {
  await using folder = temporaryFolder();
  const inbox = folder.join("joe");
  await using store = openMbox({ folder: folder.join("mail"), inbox }, { now: Date.now });
  using mailbox = store.open("INBOX", { isReadOnly: false });
  const shown = (): readonly string[] => {
    mailbox.sync();
    return mailbox.messages.map(({ uid, flags }) => {
      using content = mailbox.content(uid);
      const text = Buffer.from(content.read()).toString();
      const [, subject, body] = /^Subject: (\w+)\r\n\r\n(\w+)\r\n$/.exec(text) ?? [];
      assert.equal(subject, body, text);
      return [uid, subject, ...flags].join(" ");
    });
  };
  fs.writeFileSync(inbox, delivered("one") + delivered("two"));
  assert.deepEqual(shown(), ["1 one", "2 two"]);
  // So many keywords that the first header has no room for them: everything moves.
  const keywords = Array.from({ length: 30 }, (_, number) => `keyword${number}`);
  await store.append("INBOX", [message("three", keywords)]);
  assert.deepEqual(shown(), ["1 one", "2 two", `3 three ${keywords.toSorted().join(" ")}`]);
  await mailbox.setFlags([2, 3], { mode: "set", flags: ["\\Seen", "another"] });
  fs.appendFileSync(inbox, delivered("four"));
  await mailbox.setFlags([1], { mode: "add", flags: ["\\Deleted"] });
  assert.deepEqual(await mailbox.expunge(), [1]);
  assert.deepEqual(shown(), ["2 two \\Seen another", "3 three \\Seen another", "4 four"]);
  fs.rmSync(folder.join("mail", ".imap"), { recursive: true });
  assert.deepEqual(shown(), ["2 two \\Seen another", "3 three \\Seen another", "4 four"]);
  await mailbox.setFlags([2, 3, 4], { mode: "add", flags: ["\\Deleted"] });
  await mailbox.expunge();
  assert.match(fs.readFileSync(inbox, "utf8"), /^From MAILER_DAEMON [^]*\nX-IMAP: \d+ 0000000004 /);
  await store.append("INBOX", [message("five")]);
  assert.deepEqual(shown(), ["5 five"]);
});

test("a UID that a sender, or another mailbox, has put into a header does not count", async () => {
  await using folder = temporaryFolder();
  const inbox = folder.join("joe");
  await using store = openMbox({ folder: folder.join("mail"), inbox }, { now: Date.now });
  await store.append("INBOX", [message("one"), message("two"), message("three")]);
  using mailbox = store.open("INBOX", { isReadOnly: false });
  await mailbox.setFlags([3], { mode: "add", flags: ["\\Deleted"] });
  await mailbox.expunge();
  // 3 was given once and is above all that are there, 4 will be given next, 2 is another's.
  for (const uid of [3, 4, 2]) {
    fs.appendFileSync(
      inbox,
      delivered("more").replace("\n\n", `\nX-UID: ${uid}\nX-Keywords: Faked\nX-IMAPbase: 9 99 Faked\n\n`),
    );
  }
  mailbox.sync();
  assert.deepEqual(
    mailbox.messages.map(({ uid, flags }) => [uid, ...flags]),
    [[1], [2], [4], [5], [6]],
  );
});
