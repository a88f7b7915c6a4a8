import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryMail } from "./memory-store.ts";

test("two stores of one mail see each other's changes at their next look", async () => {
  const mail = new MemoryMail();
  mail.add("INBOX", "Subject: one\n\nfirst\n", "Subject: two\n\nsecond\n");
  const [ours, theirs] = [mail.store(), mail.store()].map((store) => store.open("inbox", { isReadOnly: false }));
  assert.ok(ours !== undefined && theirs !== undefined);
  await ours.setFlags([1], { mode: "add", flags: ["\\deleted", "Blue"] });
  assert.deepEqual(await ours.expunge(), [1]);
  await ours.setFlags([2], { mode: "set", flags: ["\\Seen"] });
  assert.equal(theirs.messages.length, 2);
  const { appeared, changed, vanished } = theirs.sync();
  assert.deepEqual([appeared, changed.map((record) => record.flags), vanished], [[], [["\\Seen"]], [1]]);
  assert.deepEqual(theirs.messages, ours.messages);
  assert.equal(Buffer.from(ours.content(2).read()).toString(), "Subject: two\r\n\r\nsecond\r\n");
});
