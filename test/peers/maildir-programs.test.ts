/** Programs that know nothing of one another on one Maildir: neomutt changes it, procmail delivers into it. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import test from "node:test";
import { openMaildir } from "../../src/mail/store/maildir/index.ts";
import { temporaryFolder } from "../temp.ts";
import { peerPath, runPeer, skipWithout } from "./peer.ts";

function mail(subject: string): Buffer {
  return Buffer.from(`From: a@example.org\r\nSubject: ${subject}\r\n\r\ntext\r\n`);
}

test("neomutt flags and removes while we do", { skip: skipWithout("neomutt", "script") }, async () => {
  await using folder = temporaryFolder();
  const maildir = folder.join("Maildir");
  await using store = openMaildir(maildir, { now: Date.now });
  const subjects = Array.from({ length: 40 }, (_, index) => `m${index}`);
  const { uids } = await store.append(
    "INBOX",
    subjects.map((subject) => ({ content: mail(subject), flags: [], receivedMs: Date.now() })),
  );
  using inbox = store.open("INBOX", { isReadOnly: false });
  const keys = `<first-entry><delete-message>${"<flag-message>".repeat(10)}<sync-mailbox><quit>`;
  const rules = folder.join("muttrc");
  const settings = [
    `folder=${folder.path}`,
    "move=no",
    "delete=yes",
    "quit=yes",
    "mark_old=no",
    "mail_check=0",
    "maildir_trash=no",
    "sort=mailbox-order",
  ];
  fs.writeFileSync(rules, `${settings.map((each) => `set ${each}\n`).join("")}push '${keys}'\n`);
  const command = `neomutt -n -F ${rules} -f ${maildir}`;
  const env = { ...process.env, TERM: "xterm", HOME: folder.path, LC_ALL: "C.UTF-8" };
  const mutt = spawn(peerPath("script") ?? "script", ["-qec", command, "/dev/null"], { env, stdio: "ignore" });
  const ended = once(mutt, "close");
  let rounds = 0;
  while (mutt.exitCode === null) {
    // Every flag that is set is taken back, but for the last time.
    await inbox.setFlags(uids, { mode: rounds++ % 2 === 0 ? "add" : "remove", flags: ["\\Answered"] });
    await new Promise((resolve) => void setImmediate(resolve));
  }
  await ended;
  await inbox.setFlags(uids, { mode: "add", flags: ["\\Answered"] });
  inbox.sync();
  const flagged = inbox.messages.filter(({ flags }) => flags.includes("\\Flagged"));
  assert.equal(inbox.messages.length, 39);
  assert.equal(flagged.length, 10);
  assert.ok(inbox.messages.every(({ flags }) => flags.includes("\\Answered")));
  assert.equal(fs.readdirSync(`${maildir}/cur`).length, 39);
});

test("what procmail delivers while somebody looks comes once", { skip: skipWithout("procmail") }, async () => {
  await using folder = temporaryFolder();
  const maildir = folder.join("Maildir");
  await using store = openMaildir(maildir, { now: Date.now });
  using inbox = store.open("INBOX", { isReadOnly: false });
  const rules = folder.join("procmailrc");
  fs.writeFileSync(rules, `DEFAULT=${maildir}/\nLOGFILE=${folder.join("log")}\n`);
  const appeared: number[] = [];
  for (let index = 0; index < 15; index++) {
    runPeer("procmail", ["-m", `DEFAULT=${maildir}/`, rules], { input: `From: x@y\nSubject: p${index}\n\ntext\n` });
    appeared.push(...inbox.sync().appeared.map(({ uid }) => uid));
  }
  const subjects = inbox.messages.map(({ uid, sizeBytes }) => {
    using content = inbox.content(uid);
    assert.equal(content.read().length, sizeBytes);
    return /Subject: (\w+)/.exec(Buffer.from(content.read()).toString())?.[1];
  });
  assert.deepEqual(
    subjects,
    Array.from({ length: 15 }, (_, index) => `p${index}`),
  );
  assert.deepEqual(
    appeared,
    inbox.messages.map(({ uid }) => uid),
  );
});
