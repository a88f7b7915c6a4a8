/** What holds for every mail store; run over each of them. */
import assert from "node:assert/strict";
import test from "node:test";
import { Failure } from "../../../src/base/index.ts";
import type { MailStore, NewMessage, OpenMailbox } from "../../../src/mail/store/index.ts";

export interface StoreFixture extends AsyncDisposable {
  /** Another connection of the same user, as if of another process where that can be. */
  open(): MailStore;
}

export interface ContractOptions {
  /** False where a mailbox and the file of one below it cannot be at once. */
  readonly hasMailboxesInMailboxes?: boolean;
}

const receivedMs = Date.UTC(2024, 1, 29, 12, 0, 7);

function message(text: string, flags: readonly string[] = []): NewMessage {
  return { content: Buffer.from(text), flags, receivedMs };
}

const mail = (subject: string, body = "text"): string => `Subject: ${subject}\r\nFrom: a@b\r\n\r\n${body}\r\n`;

function uidsOf({ messages }: OpenMailbox): readonly number[] {
  return messages.map(({ uid }) => uid);
}

function textOf(mailbox: OpenMailbox, uid: number): string {
  using content = mailbox.content(uid);
  return Buffer.from(content.read()).toString("latin1");
}

function subjects(mailbox: OpenMailbox): readonly string[] {
  return mailbox.messages.map(({ uid }) => /^Subject: (.*)\r$/m.exec(textOf(mailbox, uid))?.[1] ?? "");
}

function isCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof Failure && error.code === code;
}

export function storeContract(kind: string, start: () => Promise<StoreFixture>, options: ContractOptions = {}): void {
  const holds = (what: string, work: (fixture: StoreFixture, store: MailStore) => Promise<void>): void => {
    test(`${kind}: ${what}`, async () => {
      await using fixture = await start();
      await using store = fixture.open();
      await work(fixture, store);
    });
  };
  contentContract(holds);
  flagContract(holds);
  changeContract(holds);
  moveContract(holds);
  folderContract(holds, options);
}

type Holds = (what: string, work: (fixture: StoreFixture, store: MailStore) => Promise<void>) => void;

function contentContract(holds: Holds): void {
  holds("an appended message is there as it is on the wire", async (_, store) => {
    const { uids, uidValidity } = await store.append("INBOX", [
      message("Subject: one\n\nline\n.\n", ["\\Seen", "Work"]),
      message(mail("two")),
    ]);
    assert.equal(uids.length, 2);
    using inbox = store.open("inbox", { isReadOnly: true });
    assert.equal(inbox.uidValidity, uidValidity);
    assert.deepEqual(uidsOf(inbox), uids);
    assert.ok(inbox.uidNext > Math.max(...uids));
    const wire = "Subject: one\r\n\r\nline\r\n.\r\n";
    assert.equal(textOf(inbox, uids[0]!), wire);
    const [first, second] = inbox.messages;
    assert.equal(first?.sizeBytes, wire.length);
    assert.equal(first?.receivedMs, receivedMs);
    assert.deepEqual(first?.flags, ["Work", "\\Seen"]);
    assert.deepEqual(second?.flags, []);
    assert.notEqual(first?.emailId, second?.emailId);
    assert.deepEqual(inbox.keywords, ["Work"]);
    using content = inbox.content(uids[0]!);
    assert.equal(content.sizeBytes, wire.length);
    assert.equal(Buffer.from(content.read(9, 14)).toString(), "one\r\n");
    assert.equal(Buffer.from(content.read(wire.length - 2, wire.length + 10)).toString(), "\r\n");
  });

  holds("bytes of all kinds survive", async (_, store) => {
    const bytes = Buffer.concat([
      Buffer.from("Subject: x\r\n\r\n"),
      Buffer.from(Array.from({ length: 256 }, (__, value) => value).filter((value) => value !== 10 && value !== 13)),
      Buffer.from("\r\na\rb\r\r\nFrom here\r\n>From there\r\n\r\n\r\nno end of line"),
    ]);
    const { uids } = await store.append("INBOX", [{ content: bytes, flags: [], receivedMs }]);
    using inbox = store.open("INBOX", { isReadOnly: true });
    using content = inbox.content(uids[0]!);
    assert.deepEqual(Buffer.from(content.read()), bytes);
    assert.equal(inbox.messages[0]?.sizeBytes, bytes.length);
  });

  holds("a header is read as the structure has it, short or long", async (_, store) => {
    const texts = [
      mail("short"),
      `Subject: long\r\nX-Long: ${"x".repeat(70)}\r\n${"\tgoes on\r\n".repeat(4000)}\r\nbody\r\n`,
      `Subject: without a body\r\n\r\n`,
    ];
    const { uids } = await store.append(
      "INBOX",
      texts.map((text) => message(text)),
    );
    using inbox = store.open("INBOX", { isReadOnly: true });
    for (const [uid, { root }] of inbox.structures(uids)) {
      using content = inbox.content(uid);
      const wire = Buffer.from(content.read(0, root.headerBytes)).toString("latin1");
      using again = inbox.content(uid);
      assert.equal(Buffer.from(again.readHeader()).toString("latin1"), wire);
      assert.match(wire, /\r\n\r\n$/);
    }
  });

  holds("structures come in the order asked for, without what has gone", async (_, store) => {
    const { uids } = await store.append("INBOX", [message(mail("a")), message(mail("b")), message(mail("c"))]);
    using inbox = store.open("INBOX", { isReadOnly: false });
    const asked = [uids[2]!, 9999, uids[0]!];
    for (let time = 0; time < 2; time++) {
      const found = [...inbox.structures(asked)].map(([uid, { envelope }]) => [uid, envelope.subject]);
      assert.deepEqual(found, [
        [uids[2], "c"],
        [uids[0], "a"],
      ]);
    }
  });

  holds("summaries say what the structures say, before these are known and after", async (_, store) => {
    const long = `X-Long: ${"x".repeat(40_000)}\n${mail("long")}`;
    const texts = [
      mail("a"),
      long,
      "Subject: no end",
      "\n\nno header",
      "Subject: =?utf-8?q?=C3=A9?=\nReferences: <a@b>\n\n",
    ];
    const { uids } = await store.append(
      "INBOX",
      texts.map((text) => message(text)),
    );
    using inbox = store.open("INBOX", { isReadOnly: false });
    const before = [...inbox.summaries(uids)];
    const expected = [...inbox.structures(uids)].map(([uid, { envelope, baseSubject, references, sentMs }]) => {
      return [uid, { envelope, baseSubject, references, ...(sentMs === undefined ? {} : { sentMs }) }];
    });
    const plain = (found: typeof before): unknown => {
      return found.map(([uid, { envelope, baseSubject, references, sentMs }]) => {
        return [uid, { envelope, baseSubject, references, ...(sentMs === undefined ? {} : { sentMs }) }];
      });
    };
    assert.deepEqual(plain(before), expected);
    assert.deepEqual(plain([...inbox.summaries(uids)]), expected);
    assert.equal(before[1]?.[1].envelope.subject, "long");
  });

  holds("text is found wherever it is", async (_, store) => {
    const { uids } = await store.append("INBOX", [
      message(mail("Breakfast", "Two eggs and Bacon")),
      message(mail("Lunch", "Soup; no bacon. eg")),
      message(mail("eggs", "nothing")),
    ]);
    using inbox = store.open("INBOX", { isReadOnly: true });
    const among = async (where: "text" | "body", text: string): Promise<number[]> => {
      return [...(await inbox.matching({ in: where, text }, uids))].sort((a, b) => a - b);
    };
    for (let time = 0; time < 2; time++) {
      assert.deepEqual(await among("body", "BACON"), [uids[0], uids[1]]);
      assert.deepEqual(await among("body", "eggs"), [uids[0]]);
      assert.deepEqual(await among("text", "eggs"), [uids[0], uids[2]]);
      assert.deepEqual(await among("body", "eg"), [uids[0], uids[1]]);
      assert.deepEqual(await among("body", 'no "such"'), []);
      assert.deepEqual([...(await inbox.matching({ in: "header", name: "Subject", text: "unch" }, uids))], [uids[1]]);
      assert.deepEqual([...(await inbox.matching({ in: "header", name: "From", text: "" }, uids))], uids);
      assert.deepEqual([...(await inbox.matching({ in: "header", name: "From", text: "unch" }, uids))], []);
    }
    assert.deepEqual([...(await inbox.matching({ in: "body", text: "bacon" }, [uids[1]!]))], [uids[1]]);
  });
}

function flagContract(holds: Holds): void {
  holds("flags are set, added and removed", async (fixture, store) => {
    const { uids } = await store.append("INBOX", [message(mail("a"), ["\\Seen"]), message(mail("b"))]);
    using inbox = store.open("INBOX", { isReadOnly: false });
    const before = inbox.highestModSeq;
    const added = await inbox.setFlags(uids, { mode: "add", flags: ["\\flagged", "$Forwarded"] });
    assert.deepEqual(
      added.changed.map(({ flags }) => flags),
      [
        ["$Forwarded", "\\Flagged", "\\Seen"],
        ["$Forwarded", "\\Flagged"],
      ],
    );
    assert.ok(added.changed.every(({ modSeq }) => modSeq > before));
    await inbox.setFlags([uids[0]!], { mode: "remove", flags: ["$forwarded", "\\Seen"] });
    await inbox.setFlags([uids[1]!], { mode: "set", flags: ["\\Draft"] });
    const flags = [["\\Flagged"], ["\\Draft"]];
    assert.deepEqual(
      inbox.messages.map((record) => record.flags),
      flags,
    );
    await using other = fixture.open();
    using again = other.open("INBOX", { isReadOnly: true });
    assert.deepEqual(
      again.messages.map((record) => record.flags),
      flags,
    );
  });

  holds("UNCHANGEDSINCE holds back what others changed", async (fixture, store) => {
    const { uids } = await store.append("INBOX", [message(mail("a")), message(mail("b"))]);
    using inbox = store.open("INBOX", { isReadOnly: false });
    const since = inbox.highestModSeq;
    await using other = fixture.open();
    using theirs = other.open("INBOX", { isReadOnly: false });
    await theirs.setFlags([uids[0]!], { mode: "add", flags: ["\\Answered"] });
    const { changed, modified } = await inbox.setFlags(uids, { mode: "add", flags: ["\\Seen"], unchangedSince: since });
    assert.deepEqual(modified, [uids[0]]);
    assert.deepEqual(
      changed.map(({ uid }) => uid),
      [uids[1]],
    );
    inbox.sync();
    assert.deepEqual(
      inbox.messages.map((record) => record.flags),
      [["\\Answered"], ["\\Seen"]],
    );
  });

  holds("a mailbox that is open for reading only is not changed", async (_, store) => {
    const { uids } = await store.append("INBOX", [message(mail("a"), ["\\Deleted"])]);
    using inbox = store.open("INBOX", { isReadOnly: true });
    assert.ok(inbox.isReadOnly);
    await assert.rejects(inbox.setFlags(uids, { mode: "add", flags: ["\\Seen"] }), isCode("refused"));
    await assert.rejects(inbox.expunge(), isCode("refused"));
    assert.deepEqual(inbox.messages[0]?.flags, ["\\Deleted"]);
  });
}

function changeContract(holds: Holds): void {
  holds("what others do is seen at the next look, and not before", async (fixture, store) => {
    const { uids } = await store.append("INBOX", [message(mail("a")), message(mail("b")), message(mail("c"))]);
    using inbox = store.open("INBOX", { isReadOnly: false });
    await using other = fixture.open();
    using theirs = other.open("INBOX", { isReadOnly: false });
    const called = new Promise<void>((resolve) => void inbox.watch(resolve));
    await theirs.setFlags([uids[1]!], { mode: "add", flags: ["\\Seen"] });
    await theirs.setFlags([uids[0]!], { mode: "add", flags: ["\\Deleted"] });
    assert.deepEqual(await theirs.expunge(), [uids[0]]);
    const { uids: added } = await other.append("INBOX", [message(mail("d"))]);
    assert.deepEqual(uidsOf(inbox), uids);
    await called;
    const since = inbox.highestModSeq;
    const changes = inbox.sync();
    assert.deepEqual(changes.vanished, [uids[0]]);
    assert.deepEqual(
      changes.changed.map(({ uid, flags }) => [uid, flags]),
      [[uids[1], ["\\Seen"]]],
    );
    assert.deepEqual(
      changes.appeared.map(({ uid }) => uid),
      added,
    );
    assert.deepEqual(uidsOf(inbox), [uids[1], uids[2], ...added]);
    assert.ok(inbox.highestModSeq > since);
    assert.ok(inbox.vanishedSince(since).includes(uids[0]!));
    assert.deepEqual(inbox.vanishedSince(inbox.highestModSeq), []);
    assert.deepEqual(inbox.sync(), { appeared: [], changed: [], vanished: [] });
    assert.throws(() => inbox.content(uids[0]!), isCode("not-found"));
  });

  holds("expunge removes what is deleted, of those named only", async (_, store) => {
    const all = ["a", "b", "c"].map((subject) => message(mail(subject), ["\\Deleted"]));
    const { uids } = await store.append("INBOX", [...all, message(mail("d"))]);
    using inbox = store.open("INBOX", { isReadOnly: false });
    assert.deepEqual(await inbox.expunge([uids[1]!, uids[3]!]), [uids[1]]);
    assert.deepEqual(subjects(inbox), ["a", "c", "d"]);
    assert.deepEqual(await inbox.expunge(), [uids[0], uids[2]]);
    assert.deepEqual(subjects(inbox), ["d"]);
    const { uids: later } = await store.append("INBOX", [message(mail("e"))]);
    assert.ok(later[0]! > uids[3]!);
  });

  holds("status counts", async (_, store) => {
    await store.append("INBOX", [message(mail("a"), ["\\Seen"]), message(mail("b"), ["\\Deleted"])]);
    using inbox = store.open("INBOX", { isReadOnly: true });
    const status = store.status("INBOX");
    assert.equal(status.messages, 2);
    assert.equal(status.unseen, 1);
    assert.equal(status.deleted, 1);
    assert.equal(status.sizeBytes, mail("a").length + mail("b").length);
    assert.equal(status.uidNext, inbox.uidNext);
    assert.equal(status.uidValidity, inbox.uidValidity);
    assert.equal(status.mailboxId, inbox.mailboxId);
    assert.ok(status.highestModSeq >= inbox.highestModSeq);
    const { usedBytes, messages } = store.quota();
    assert.deepEqual([usedBytes, messages], [status.sizeBytes, 2]);
  });
}

function moveContract(holds: Holds): void {
  holds("copies and moved messages keep what they are", async (_, store) => {
    await store.create("Archive");
    const { uids } = await store.append("INBOX", [
      message(mail("a"), ["\\Seen", "One"]),
      message(mail("b"), ["Two"]),
      message(mail("c")),
    ]);
    using inbox = store.open("INBOX", { isReadOnly: false });
    const copied = await inbox.copy([uids[1]!, uids[0]!], "Archive");
    assert.deepEqual(copied.sourceUids, [uids[1], uids[0]]);
    assert.deepEqual(subjects(inbox), ["a", "b", "c"]);
    const moved = await inbox.move([uids[0]!, uids[2]!], "Archive");
    assert.deepEqual(moved.sourceUids, [uids[0], uids[2]]);
    assert.deepEqual(subjects(inbox), ["b"]);
    using archive = store.open("Archive", { isReadOnly: false });
    assert.equal(archive.uidValidity, copied.uidValidity);
    assert.deepEqual(uidsOf(archive), [...copied.uids, ...moved.uids]);
    assert.deepEqual(subjects(archive), ["b", "a", "a", "c"]);
    assert.deepEqual(
      archive.messages.map(({ flags }) => flags),
      [["Two"], ["One", "\\Seen"], ["One", "\\Seen"], []],
    );
    assert.equal(archive.messages[0]?.emailId, inbox.messages[0]?.emailId);
    assert.equal(archive.messages[1]?.emailId, archive.messages[2]?.emailId);
    assert.ok(archive.messages.every((record) => record.receivedMs === receivedMs));
    await assert.rejects(inbox.copy([uids[1]!], "nowhere"), isCode("not-found"));
    const back = await archive.move([copied.uids[0]!], "INBOX");
    inbox.sync();
    assert.deepEqual(uidsOf(inbox), [uids[1], ...back.uids]);
    assert.ok(back.uids[0]! > uids[2]!);
  });

  holds("a message can be copied into its own mailbox", async (_, store) => {
    const { uids } = await store.append("INBOX", [message(mail("a"), ["\\Seen"])]);
    using inbox = store.open("INBOX", { isReadOnly: false });
    const copied = await inbox.copy(uids, "INBOX");
    assert.deepEqual(uidsOf(inbox), uids);
    inbox.sync();
    assert.deepEqual(uidsOf(inbox), [...uids, ...copied.uids]);
    assert.deepEqual(subjects(inbox), ["a", "a"]);
  });
}

function folderContract(holds: Holds, { hasMailboxesInMailboxes = true }: ContractOptions): void {
  const names = (store: MailStore): readonly string[] => store.list().map(({ name }) => name);

  holds("mailboxes are made, listed, subscribed to and removed", async (fixture, store) => {
    await store.create("Entwürfe & Co", ["\\Drafts"]);
    await store.create("lists/holdfast");
    await store.subscribe("lists/holdfast", true);
    await store.subscribe("gone", true);
    const entries = new Map(store.list().map((entry) => [entry.name, entry]));
    assert.deepEqual([...entries.keys()][0], "INBOX");
    assert.deepEqual(entries.get("Entwürfe & Co")?.specialUse, ["\\Drafts"]);
    assert.equal(entries.get("lists")?.hasChildren, true);
    assert.equal(entries.get("lists/holdfast")?.isSubscribed, true);
    assert.equal(entries.get("lists/holdfast")?.isSelectable, true);
    assert.deepEqual([entries.get("gone")?.exists, entries.get("gone")?.isSubscribed], [false, true]);
    await assert.rejects(store.create("Entwürfe & Co"), isCode("exists"));
    await assert.rejects(store.create("inbox"), isCode("exists"));
    await assert.rejects(store.create("a//b"), isCode("refused"));
    await store.delete("lists/holdfast");
    await store.subscribe("gone", false);
    await using other = fixture.open();
    assert.ok(!names(other).includes("gone"));
    assert.equal(other.list().find(({ name }) => name === "lists/holdfast")?.exists ?? false, false);
    await assert.rejects(store.delete("INBOX"), isCode("refused"));
    await assert.rejects(store.delete("nowhere"), isCode("not-found"));
    assert.throws(() => store.open("nowhere", { isReadOnly: true }), isCode("not-found"));
    assert.throws(() => store.status("nowhere"), isCode("not-found"));
    await assert.rejects(store.append("nowhere", [message(mail("a"))]), isCode("not-found"));
  });

  holds("a renamed mailbox keeps its messages", async (_, store) => {
    await store.create("old");
    const { uids } = await store.append("old", [message(mail("a"), ["\\Seen"])]);
    const { mailboxId, uidValidity } = store.status("old");
    await store.rename("old", "new/deeper");
    assert.ok(!names(store).includes("old"));
    using mailbox = store.open("new/deeper", { isReadOnly: true });
    assert.deepEqual(uidsOf(mailbox), uids);
    assert.deepEqual([mailbox.mailboxId, mailbox.uidValidity], [mailboxId, uidValidity]);
    await assert.rejects(store.rename("nowhere", "x"), isCode("not-found"));
    await assert.rejects(store.rename("new/deeper", "INBOX"), isCode("exists"));
  });

  holds("what is below a renamed mailbox follows it", async (_, store) => {
    if (hasMailboxesInMailboxes) await store.create("a");
    await store.create("a/b");
    await store.append("a/b", [message(mail("x"))]);
    await store.rename("a", "c");
    assert.equal(store.status("c/b").messages, 1);
    assert.ok(!names(store).some((name) => name.startsWith("a")));
  });

  holds("renaming INBOX gives its messages away", async (_, store) => {
    await store.append("INBOX", [message(mail("a"))]);
    await store.rename("INBOX", "given");
    assert.equal(store.status("INBOX").messages, 0);
    assert.equal(store.status("given").messages, 1);
  });
}
