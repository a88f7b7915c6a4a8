import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import test from "node:test";
import { setTimeout } from "node:timers/promises";
import type { OpenMailbox, TextQuery } from "../../../../src/mail/store/index.ts";
import { openMaildir } from "../../../../src/mail/store/maildir/index.ts";
import { temporaryFolder, type TemporaryFolder } from "../../../temp.ts";

const texts = [
  "Subject: Breakfast\r\n\r\nTwo eggs and Bacon\r\n",
  'Subject: =?utf-8?q?Fr=C3=BChst=C3=BCck?=\r\n\r\nhe said "no" to NEAR bacon AND (soup)\r\n',
  "Subject: long\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" +
    `filling words ${"x".repeat(900)}\r\n`.repeat(1200) +
    "the needle\r\n",
  "Subject: nul\r\n\r\nbefore\0after nul\r\n",
  "Subject: coded\r\nContent-Transfer-Encoding: base64\r\n\r\nYmFjb24gaW4gYmFzZTY0\r\n",
];
const queries: readonly TextQuery[] = [
  ...[
    "bacon",
    "BACON AND",
    'said "no"',
    "the needle",
    "after nul",
    "in base64",
    "eggs and bacon",
    "filling words",
    "x*",
  ].map((text): TextQuery => ({ in: "body", text })),
  ...["frühstück", "FRÜHSTÜCK", "breakfast", "bacon"].map((text): TextQuery => ({ in: "text", text })),
  { in: "header", name: "Subject", text: "frühst" },
  { in: "header", name: "subject", text: "" },
];

async function answers(mailbox: OpenMailbox): Promise<readonly (readonly number[])[]> {
  const uids = mailbox.messages.map(({ uid }) => uid);
  const all: number[][] = [];
  for (const query of queries) all.push([...(await mailbox.matching(query, uids))].sort((a, b) => a - b));
  return all;
}

async function filled(folder: TemporaryFolder, count: number): Promise<void> {
  const database = new DatabaseSync(folder.join("Maildir/holdfast-index.sqlite"), { readOnly: true });
  const query = database.prepare("SELECT count(*) AS count FROM contents WHERE text > 0");
  while (query.get()?.["count"] !== count) await setTimeout(10);
  database.close();
}

test("the index finds what reading all messages finds", async () => {
  await using folder = temporaryFolder();
  await using store = openMaildir(folder.join("Maildir"), { now: Date.now });
  const messages = texts.map((text) => ({ content: Buffer.from(text), flags: [], receivedMs: Date.now() }));
  await store.append("INBOX", messages);
  using inbox = store.open("INBOX", { isReadOnly: false });
  const cold = await answers(inbox);
  assert.deepEqual(cold[0], [1, 2, 5]);
  assert.deepEqual(cold[3], [3]);
  assert.deepEqual(cold.at(-1), [1, 2, 3, 4, 5]);
  await filled(folder, texts.length);
  assert.deepEqual(await answers(inbox), cold);
  // What comes later is found too, and what goes is not.
  await store.append("INBOX", [{ content: Buffer.from("Subject: late\r\n\r\nbacon\r\n"), flags: [], receivedMs: 0 }]);
  await inbox.setFlags([1], { mode: "add", flags: ["\\Deleted"] });
  await inbox.expunge();
  inbox.sync();
  assert.deepEqual((await answers(inbox))[0], [2, 5, 6]);
  await filled(folder, texts.length);
  assert.deepEqual((await answers(inbox))[0], [2, 5, 6]);
});
