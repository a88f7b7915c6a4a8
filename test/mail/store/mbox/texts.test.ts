import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import type { OpenMailbox } from "../../../../src/mail/store/index.ts";
import { openMbox } from "../../../../src/mail/store/mbox/index.ts";
import { temporaryFolder } from "../../../temp.ts";
import { filled, message, textsContract, type IndexedStore } from "../texts-contract.ts";

function start(): IndexedStore & { readonly file: string } {
  const folder = temporaryFolder();
  const file = folder.join("joe");
  const store = openMbox({ folder: folder.join("mail"), inbox: file }, { now: Date.now });
  return {
    store,
    file,
    indexFile: folder.join("mail/.imap/holdfast-index.sqlite"),
    remove: (name) => fs.rmSync(folder.join(`mail/${name}`)),
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

const soup = message("Subject: soup\r\n\r\npeas and bacon\r\n");
const salad = message("Subject: salad\r\n\r\nnothing but leaves\r\n");

async function withBacon(mailbox: OpenMailbox): Promise<readonly number[]> {
  const uids = mailbox.messages.map(({ uid }) => uid);
  return [...(await mailbox.matching({ in: "body", text: "bacon" }, uids))];
}

textsContract("mbox", start);

test("a second search does not read the mbox again", async () => {
  await using indexed = start();
  await indexed.store.append("INBOX", [soup, salad]);
  using inbox = indexed.store.open("INBOX", { isReadOnly: false });
  assert.deepEqual(await withBacon(inbox), [1]);
  await filled(indexed, 2);
  fs.renameSync(indexed.file, `${indexed.file}.away`);
  assert.deepEqual(await withBacon(inbox), [1]);
  fs.renameSync(`${indexed.file}.away`, indexed.file);
  inbox.sync();
  assert.deepEqual(await withBacon(inbox), [1]);
});

test("a message that was removed and came back is found", async () => {
  await using indexed = start();
  await indexed.store.append("INBOX", [soup, salad]);
  using inbox = indexed.store.open("INBOX", { isReadOnly: false });
  await withBacon(inbox);
  await filled(indexed, 2);
  assert.deepEqual(await withBacon(inbox), [1]);
  await inbox.setFlags([1], { mode: "add", flags: ["\\Deleted"] });
  await inbox.expunge();
  await filled(indexed, 1);
  await indexed.store.append("INBOX", [soup]);
  inbox.sync();
  assert.deepEqual(await withBacon(inbox), [3]);
  await filled(indexed, 2);
  assert.deepEqual(await withBacon(inbox), [3]);
});

test("messages are found after another program gave the mbox another UIDVALIDITY", async () => {
  await using indexed = start();
  await indexed.store.append("INBOX", [salad, soup]);
  using inbox = indexed.store.open("INBOX", { isReadOnly: false });
  await withBacon(inbox);
  await filled(indexed, 2);
  assert.deepEqual(await withBacon(inbox), [2]);
  const text = fs.readFileSync(indexed.file, "latin1");
  fs.writeFileSync(indexed.file, text.replace(/^(X-IMAPbase: )\d+/m, "$112345"), "latin1");
  using reopened = indexed.store.open("INBOX", { isReadOnly: false });
  assert.equal(reopened.uidValidity, 12345);
  assert.deepEqual(await withBacon(reopened), [reopened.messages[1]?.uid]);
  await filled(indexed, 2);
  assert.deepEqual(await withBacon(reopened), [reopened.messages[1]?.uid]);
});
