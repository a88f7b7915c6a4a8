import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import test from "node:test";
import { setTimeout } from "node:timers/promises";
import type { MailStore, NewMessage, OpenMailbox, TextQuery } from "../../../src/mail/store/index.ts";

/** A store with a full-text index, in a folder of its own. */
export interface IndexedStore extends AsyncDisposable {
  readonly store: MailStore;
  readonly indexFile: string;
  /** As another program does it, which knows nothing of the index. */
  remove(mailbox: string): void;
}

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

function textsInIndex({ indexFile }: IndexedStore): unknown {
  using database = new DatabaseSync(indexFile, { readOnly: true });
  return database.prepare("SELECT count(*) AS count FROM contents WHERE text > 0").get()?.["count"];
}

/** Waits until the texts of so many messages are in the index. */
export async function filled(indexed: IndexedStore, count: number): Promise<void> {
  while (textsInIndex(indexed) !== count) await setTimeout(10);
}

export function message(text: string): NewMessage {
  return { content: Buffer.from(text), flags: [], receivedMs: 1.7e12 };
}

export function textsContract(kind: string, start: () => IndexedStore): void {
  test(`${kind}: the index finds what reading all messages finds`, async () => {
    await using indexed = start();
    const { store } = indexed;
    await store.append("INBOX", texts.map(message));
    using inbox = store.open("INBOX", { isReadOnly: false });
    const cold = await answers(inbox);
    assert.deepEqual(cold[0], [1, 2, 5]);
    assert.deepEqual(cold[3], [3]);
    assert.deepEqual(cold.at(-1), [1, 2, 3, 4, 5]);
    await filled(indexed, texts.length);
    assert.deepEqual(await answers(inbox), cold);
    // What comes later is found too, and what goes is not.
    await store.append("INBOX", [message("Subject: late\r\n\r\nbacon\r\n")]);
    await inbox.setFlags([1], { mode: "add", flags: ["\\Deleted"] });
    await inbox.expunge();
    inbox.sync();
    assert.deepEqual((await answers(inbox))[0], [2, 5, 6]);
    await filled(indexed, texts.length);
    assert.deepEqual((await answers(inbox))[0], [2, 5, 6]);
  });

  test(`${kind}: texts of a mailbox that another program removed go when another gets its name`, async () => {
    await using indexed = start();
    const { store } = indexed;
    for (const name of ["one", "two"]) await store.create(name);
    await store.append("two", [message("Subject: late\r\n\r\nbacon\r\n")]);
    using two = store.open("two", { isReadOnly: true });
    assert.deepEqual([...(await two.matching({ in: "body", text: "bacon" }, [1]))], [1]);
    await filled(indexed, 1);
    indexed.remove("two");
    await store.rename("one", "two");
    assert.equal(textsInIndex(indexed), 0);
  });
}
