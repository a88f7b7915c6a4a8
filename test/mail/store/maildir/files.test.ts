/** The files of a Maildir as others may have left them. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import test from "node:test";
import { Failure } from "../../../../src/base/index.ts";
import type { MailStore } from "../../../../src/mail/store/index.ts";
import { openMaildir } from "../../../../src/mail/store/maildir/index.ts";
import { temporaryFolder } from "../../../temp.ts";

function maildir(files: Readonly<Record<string, string>> = {}) {
  const folder = temporaryFolder();
  for (const name of ["cur", "new", "tmp"]) fs.mkdirSync(folder.join(name));
  for (const [name, text] of Object.entries(files)) fs.writeFileSync(folder.join(name), text);
  return { ...folder, open: (): MailStore => openMaildir(folder.path, { now: Date.now }) };
}

function inboxOf(store: MailStore): readonly string[] {
  using inbox = store.open("INBOX", { isReadOnly: true });
  return inbox.messages.map(({ uid, flags, sizeBytes }) => {
    using content = inbox.content(uid);
    const subject = /^Subject: (.*)\r$/m.exec(Buffer.from(content.read()).toString())?.[1];
    return `${uid} ${subject} ${sizeBytes} ${flags.join(" ")}`.trim();
  });
}

const mail = (subject: string): string => `Subject: ${subject}\n\ntext\n`;
const isRefused = (error: unknown): boolean => error instanceof Failure && error.code === "refused";

test("files of other programs are messages in the order of their names", async () => {
  await using folder = maildir({
    "cur/1700000002.M5P1.host:2,FS": mail("c"),
    "cur/1700000002.M10P1.host:2,": mail("d"),
    "new/1700000001.host": mail("b"),
    "cur/999999999.7_2.host:2,Xz,extra": mail("a"),
    "cur/nonsense": mail("0"),
    "cur/.hidden": "not a message",
    "cur/1700000003.host,S=1,W=abc:1,old": "Subject: e\r\n\r\ntext\r\n",
    "dovecot-keywords": "0 Work\nbroken\n99 TooHigh\n1 work\n2 Third\n",
  });
  await using store = folder.open();
  const size = mail("a").length + 3;
  assert.deepEqual(inboxOf(store), [
    `1 0 ${size}`,
    `2 a ${size}`,
    `3 b ${size}`,
    `4 c ${size} \\Flagged \\Seen`,
    `5 d ${size}`,
    `6 e ${size}`,
  ]);
  using inbox = store.open("INBOX", { isReadOnly: false });
  await inbox.setFlags([2], { mode: "set", flags: ["\\Seen", "work"] });
  // Letters and fields that are not ours stay.
  assert.ok(fs.existsSync(folder.join("cur/999999999.7_2.host:2,SXaz,extra")));
  assert.deepEqual(fs.readdirSync(folder.join("new")), []);
});

test("a list of UIDs of any version is gone on with", async () => {
  const lists = {
    "1 1234 20\n7 100.a.host\n8 200.b.host:2,S\n": ["7 a", "8 b"],
    "3 V1234 N20 Gffffffffffffffffffffffffffffffff X1\n7 G99.z W9 :100.a.host\n8 :200.b.host\n": ["7 a", "8 b"],
    "3 V1234 N5\n7 :100.a.host\n6 :200.b.host\n8 :200.b.host\n": ["7 a", "8 b"],
    "3 V1234 N20\n7 :100.a.host\n8 :200.b": ["7 a", "20 b"],
    "3 V1234 N20\n7 :100.a.host\nx\n4294967299 :1.c\n0 :2.d\n8 :../../etc\n": ["7 a", "20 b"],
  };
  for (const [list, expected] of Object.entries(lists)) {
    await using folder = maildir({
      "cur/100.a.host:2,": mail("a"),
      "cur/200.b.host:2,": mail("b"),
      "dovecot-uidlist": list,
    });
    await using store = folder.open();
    assert.deepEqual(
      inboxOf(store).map((line) => line.replace(/ \d+$/, "")),
      expected,
      list,
    );
    assert.equal(store.status("INBOX").uidValidity, 1234);
    const { uids } = await store.append("INBOX", [{ content: Buffer.from(mail("c")), flags: [], receivedMs: 0 }]);
    assert.ok(uids[0]! >= Number(expected.at(-1)?.split(" ")[0]) + 1);
    assert.match(fs.readFileSync(folder.join("dovecot-uidlist"), "utf8"), /^3 V1234 N\d+/);
    await using again = folder.open();
    assert.equal(inboxOf(again).length, 3);
  }
});

test("a file that comes back has a new UID", async () => {
  await using folder = maildir({ "cur/100.a.host:2,": mail("a"), "cur/200.b.host:2,": mail("b") });
  await using store = folder.open();
  assert.equal(inboxOf(store).length, 2);
  fs.renameSync(folder.join("cur/100.a.host:2,"), folder.join("kept"));
  assert.equal(inboxOf(store).length, 1);
  fs.renameSync(folder.join("kept"), folder.join("cur/100.a.host:2,"));
  assert.deepEqual(
    inboxOf(store).map((line) => line.slice(0, 3)),
    ["2 b", "3 a"],
  );
});

test("a lock that nobody has any more is taken away, another is waited for", async () => {
  await using folder = maildir();
  await using store = folder.open();
  const message = { content: Buffer.from(mail("a")), flags: [], receivedMs: 0 };
  await store.append("INBOX", [message]);
  const lock = folder.join("dovecot-uidlist.lock");
  const old = new Date(Date.now() - 600_000);
  for (const [owner, isOld] of [
    [`4194304:${os.hostname()}`, false],
    [`${process.pid}:${os.hostname()}`, false],
    ["1:elsewhere", true],
    ["", true],
  ] as const) {
    fs.writeFileSync(lock, owner);
    if (isOld) for (const file of [lock, folder.join("dovecot-uidlist")]) fs.utimesSync(file, old, old);
    // The change of the inode is now, however old the rest is.
    const appended = store.append("INBOX", [message]);
    if (isOld) {
      assert.equal(
        await Promise.race([appended, new Promise((resolve) => void setTimeout(resolve, 50, "waits"))]),
        "waits",
      );
      fs.rmSync(lock);
    }
    await appended;
    assert.ok(!fs.existsSync(lock));
  }
  fs.writeFileSync(lock, `1:${os.hostname()}`);
  const appended = store.append("INBOX", [message]);
  // One who only looks does not wait.
  fs.writeFileSync(folder.join("new/300.c.host"), mail("c"));
  assert.equal(inboxOf(store).length, 5);
  fs.rmSync(lock);
  await appended;
  assert.equal(inboxOf(store).length, 7);
});

test("what is left over in tmp goes after 36 hours", async () => {
  await using folder = maildir({ "tmp/1.a": "half", "tmp/2.b": "half" });
  fs.mkdirSync(folder.join("tmp/holdfast-deleted-x"));
  {
    await using store = openMaildir(folder.path, { now: Date.now });
    assert.equal(store.status("INBOX").messages, 0);
    assert.equal(fs.readdirSync(folder.join("tmp")).length, 3);
  }
  await using later = maildir({ "tmp/1.a": "half" });
  await using store = openMaildir(later.path, { now: () => Date.now() + 37 * 3600 * 1000 });
  assert.equal(store.status("INBOX").messages, 0);
  assert.deepEqual(fs.readdirSync(later.join("tmp")), []);
});

test("subscriptions of both versions are read and kept in theirs", async () => {
  for (const [text, expected] of [
    ["INBOX\nSent.2024\nEntw&APw-rfe\n", "INBOX\nSent.2024\nEntw&APw-rfe\nNew.One\n"],
    ["V\t2\n\nINBOX\nSent\t2024\nEntw&APw-rfe\n", "V\t2\n\nINBOX\nSent\t2024\nEntw&APw-rfe\nNew\tOne\n"],
  ] as const) {
    await using folder = maildir({ subscriptions: text });
    await using store = folder.open();
    const subscribed = store.list().filter((entry) => entry.isSubscribed);
    assert.deepEqual(
      subscribed.map(({ name }) => name),
      ["INBOX", "Entwürfe", "Sent/2024"],
    );
    await store.subscribe("New/One", true);
    assert.equal(fs.readFileSync(folder.join("subscriptions"), "utf8"), expected);
  }
});

test("a 27th keyword is refused, and names that no folder can have", async () => {
  await using folder = maildir({ "cur/100.a.host:2,": mail("a") });
  await using store = folder.open();
  using inbox = store.open("INBOX", { isReadOnly: false });
  const keywords = Array.from({ length: 26 }, (_, index) => `Key${index}`);
  await inbox.setFlags([1], { mode: "set", flags: keywords });
  assert.equal(inbox.canAddKeywords, false);
  assert.deepEqual(inbox.messages[0]?.flags, [...keywords].sort());
  await assert.rejects(inbox.setFlags([1], { mode: "add", flags: ["One"] }), isRefused);
  for (const name of ["a.b", "a/", "/a", "x\ny", "x".repeat(300), "\uD800"]) {
    await assert.rejects(store.create(name), isRefused, name);
  }
  await store.create("x".repeat(254));
  // These are no mailboxes.
  for (const name of [".&bad-", "..trash", "plain", ".a..b"]) fs.mkdirSync(folder.join(name));
  fs.writeFileSync(folder.join(".file"), "");
  assert.equal(store.list().length, 2);
});

test("a quota that is used up refuses", async () => {
  await using folder = maildir();
  await using store = openMaildir(folder.path, { now: Date.now, limitBytes: 100, limitMessages: 3 });
  const message = { content: Buffer.alloc(40, "x"), flags: [], receivedMs: 0 };
  await store.append("INBOX", [message, message]);
  const isFull = (error: unknown): boolean => error instanceof Failure && error.code === "no-space";
  await assert.rejects(store.append("INBOX", [message]), isFull);
  using inbox = store.open("INBOX", { isReadOnly: false });
  await assert.rejects(inbox.copy([1], "INBOX"), isFull);
  assert.deepEqual(store.quota(), { usedBytes: 80, messages: 2, limitBytes: 100, limitMessages: 3 });
});

test("what a mailbox is for is kept, and follows it", async () => {
  await using folder = maildir();
  await using store = folder.open();
  const uses = (): Record<string, readonly string[]> => {
    const entries = store.list().filter(({ specialUse }) => specialUse.length > 0);
    return Object.fromEntries(entries.map(({ name, specialUse }) => [name, specialUse]));
  };
  await store.create("Trash");
  await store.create("Versendet", ["\\Sent"]);
  await store.create("Sent");
  assert.deepEqual(uses(), { Trash: ["\\Trash"], Versendet: ["\\Sent"] });
  await store.rename("Versendet", "Alt");
  assert.deepEqual(uses(), { Alt: ["\\Sent"], Trash: ["\\Trash"] });
  await store.delete("Alt");
  assert.deepEqual(uses(), { Sent: ["\\Sent"], Trash: ["\\Trash"] });
});
