/** The index may go, or be damaged, at any time. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import test from "node:test";
import type { MailStore } from "../../../../src/mail/store/index.ts";
import { openMaildir } from "../../../../src/mail/store/maildir/index.ts";
import { temporaryFolder } from "../../../temp.ts";

function shown(store: MailStore): readonly string[] {
  using inbox = store.open("INBOX", { isReadOnly: false });
  const subjects = new Map(Array.from(inbox.structures(inbox.messages.map(({ uid }) => uid))));
  const lines = inbox.messages.map(({ uid, flags, sizeBytes, emailId }) => {
    return `${uid} ${flags.join(" ")} ${sizeBytes} ${emailId} ${subjects.get(uid)?.envelope.subject}`;
  });
  return [`${inbox.uidValidity} ${inbox.mailboxId}`, ...lines];
}

const losses: Readonly<Record<string, (file: string) => void>> = {
  "is removed": (file) => {
    for (const end of ["", "-wal", "-shm"]) fs.rmSync(file + end, { force: true });
  },
  "is another file": (file) => {
    fs.rmSync(file);
    fs.writeFileSync(file, "not a database, but a text that is longer than the header of one".repeat(100));
  },
  "is empty": (file) => {
    fs.rmSync(file);
    fs.writeFileSync(file, "");
  },
  "is cut off": (file) => fs.truncateSync(file, 4096 * 3),
  "is full of noise": (file) => {
    const fd = fs.openSync(file, "r+");
    fs.writeSync(fd, randomBytes(fs.fstatSync(fd).size - 100), 0, undefined, 100);
    fs.closeSync(fd);
    for (const end of ["-wal", "-shm"]) fs.rmSync(file + end, { force: true });
  },
};

for (const [what, lose] of Object.entries(losses)) {
  test(`an index that ${what} is made anew, with UIDs as they were and modSeqs above`, async () => {
    await using folder = temporaryFolder();
    const maildir = folder.join("Maildir");
    await using store = openMaildir(maildir, { now: Date.now });
    const messages = Array.from({ length: 50 }, (_, index) => ({
      content: Buffer.from(`Subject: m${index}\r\n\r\n${"text ".repeat(100)}\r\n`),
      flags: ["\\Seen", `Key${index % 3}`],
      receivedMs: 1.7e12,
    }));
    await store.append("INBOX", messages);
    const before = shown(store);
    using open = store.open("INBOX", { isReadOnly: false });
    const { highestModSeq } = open;
    lose(`${maildir}/holdfast-index.sqlite`);
    // A new connection, one that was there, and a mailbox that was open: each goes on.
    await using again = openMaildir(maildir, { now: Date.now });
    assert.deepEqual(shown(again), before);
    await store.append("INBOX", messages.slice(0, 1));
    open.sync();
    assert.equal(open.messages.length, 51);
    assert.ok(open.highestModSeq > highestModSeq);
    await open.setFlags([1], { mode: "add", flags: ["\\Flagged"] });
    assert.ok((again.open("INBOX", { isReadOnly: true }).messages[0]?.modSeq ?? 0) > highestModSeq);
  });
}
