/** The same Maildir under Dovecot and Holdfast: before, after, at the same time. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import test from "node:test";
import { deliverToMaildir, openMaildir } from "../../src/mail/store/maildir/index.ts";
import type { MailStore } from "../../src/mail/store/index.ts";
import { skipDovecot, startDovecot, type Dovecot } from "./dovecot.ts";
import { asDovecotSees, asHoldfastSees, type Contents } from "./maildir-contents.ts";

const skip = skipDovecot();
const receivedMs = Date.UTC(2024, 1, 29, 12, 0, 7);

function mail(subject: string): Buffer {
  return Buffer.from(`Subject: ${subject}\r\nFrom: a@example.org\r\n\r\ntext of ${subject}\r\n`);
}

function holdfast(dovecot: Dovecot): MailStore {
  return openMaildir(`${dovecot.home()}/Maildir`, { now: Date.now });
}

test("Holdfast takes over from Dovecot and gives back, UIDs unchanged", { skip }, async () => {
  await using dovecot = await startDovecot();
  const before: Record<string, Contents> = {};
  {
    await using talk = await dovecot.logIn();
    for (const subject of ["a", "b", "c", "d"]) {
      await talk.ok('APPEND INBOX (\\Seen Work) "29-Feb-2024 12:00:07 +0000" ', mail(subject));
    }
    await talk.ok("CREATE Entw&APw-rfe/2024");
    await talk.ok("SUBSCRIBE Entw&APw-rfe/2024");
    await talk.ok("SELECT INBOX");
    await talk.ok("STORE 2 +FLAGS (\\Deleted)");
    await talk.ok("EXPUNGE");
    await talk.ok("COPY 1:2 Entw&APw-rfe/2024");
    await talk.ok("STORE 1 +FLAGS ($Junk \\Flagged)");
    before["INBOX"] = await asDovecotSees(talk, "INBOX");
    before["Entwürfe/2024"] = await asDovecotSees(talk, "Entw&APw-rfe/2024");
  }
  await dovecot.stop();
  const after: Record<string, Contents> = {};
  {
    await using store = holdfast(dovecot);
    const entry = store.list().find(({ name }) => name === "Entwürfe/2024");
    assert.equal(entry?.isSubscribed, true);
    for (const [name, contents] of Object.entries(before)) assert.deepEqual(asHoldfastSees(store, name), contents);
    await store.append("INBOX", [{ content: mail("e"), flags: ["\\Answered", "New"], receivedMs }]);
    await store.create("Größe");
    await store.subscribe("Größe", true);
    using inbox = store.open("INBOX", { isReadOnly: false });
    const [first = 0, second = 0, third = 0] = inbox.messages.map(({ uid }) => uid);
    await inbox.setFlags([second], { mode: "set", flags: ["\\Draft", "work", "Third"] });
    await inbox.copy([first, third], "Größe");
    await inbox.move([third], "Entwürfe/2024");
    for (const name of ["INBOX", "Entwürfe/2024", "Größe"]) after[name] = asHoldfastSees(store, name);
  }
  await dovecot.start();
  await using talk = await dovecot.logIn();
  const listed = (await talk.ok('LIST (SUBSCRIBED) "" *')).untagged.join("\n");
  assert.match(listed, /Entw&APw-rfe\/2024/);
  assert.match(listed, /Gr&APYA3w-e/);
  for (const [name, contents] of Object.entries(after)) {
    const encoded = name.replace("ü", "&APw-").replace("öß", "&APYA3w-");
    assert.deepEqual(await asDovecotSees(talk, encoded), contents, name);
  }
  assert.doesNotMatch(dovecot.log(), /Error|Panic|Broken|Duplicate/);
});

test("a list that is lost, damaged or cut off costs no UIDs that are known", { skip }, async () => {
  await using dovecot = await startDovecot();
  await using store = holdfast(dovecot);
  const list = `${dovecot.home()}/Maildir/dovecot-uidlist`;
  await store.append(
    "INBOX",
    ["a", "b", "c"].map((subject) => ({ content: mail(subject), flags: [], receivedMs })),
  );
  const contents = asHoldfastSees(store, "INBOX");
  const { mailboxId } = store.status("INBOX");
  const text = fs.readFileSync(list, "utf8");
  for (const damaged of [undefined, "", "nonsense\n", text.slice(0, -20), text.slice(0, 12), "\0".repeat(200)]) {
    if (damaged === undefined) fs.rmSync(list);
    else fs.writeFileSync(list, damaged);
    await using again = holdfast(dovecot);
    assert.deepEqual(asHoldfastSees(again, "INBOX"), contents, JSON.stringify(damaged?.slice(0, 40)));
    assert.equal(again.status("INBOX").mailboxId, mailboxId);
  }
  await using talk = await dovecot.logIn();
  assert.deepEqual(await asDovecotSees(talk, "INBOX"), contents);
});

test("deliveries of both get their UIDs once, whoever sees them first", { skip }, async () => {
  await using dovecot = await startDovecot({ protocols: ["imap"] });
  await using store = holdfast(dovecot);
  await using talk = await dovecot.logIn();
  await using target = deliverToMaildir(`${dovecot.home()}/Maildir`, { now: Date.now });
  const deliver = (subject: string): Promise<void> => {
    return target.deliver({ content: mail(subject), from: "", recipient: "joe", receivedMs });
  };
  await Promise.all(Array.from({ length: 20 }, (_, index) => deliver(`first ${index}`)));
  assert.equal(store.status("INBOX").messages, 20);
  await talk.ok("SELECT INBOX");
  await Promise.all(Array.from({ length: 20 }, (_, index) => deliver(`second ${index}`)));
  await talk.ok("NOOP");
  const contents = asHoldfastSees(store, "INBOX");
  assert.equal(contents.length, 41);
  assert.equal(new Set(contents.map((line) => line.split(" ").slice(3).join())).size, 41);
  assert.deepEqual(await asDovecotSees(talk, "INBOX"), contents);
  assert.deepEqual(fs.readdirSync(`${dovecot.home()}/Maildir/new`), []);
});
