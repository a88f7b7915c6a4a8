/** Changes a Maildir without end, and says what it is about to do and what it was told has been done; to be killed. */
import * as fs from "node:fs";
import { deliverToMaildir, openMaildir } from "../../src/mail/store/maildir/index.ts";
import type { OpenMailbox } from "../../src/mail/store/index.ts";
import { Dice } from "../dice.ts";

const [folder = "", name = "", seed = "0"] = process.argv.slice(2);
const dice = new Dice(Number(seed));
const say = (...words: readonly string[]): void => void fs.writeSync(1, `${words.join(" ")}\n`);
let count = 0;

function newMessage(): { readonly id: string; readonly content: Buffer } {
  const id = `${name}.${++count}`;
  return { id, content: Buffer.from(`Subject: ${id}\r\n\r\n${"text ".repeat(dice.below(200))}\r\nend of ${id}\r\n`) };
}

function pick(mailbox: OpenMailbox): { readonly uid: number; readonly id: string } | undefined {
  mailbox.sync();
  const { uid } = mailbox.messages[dice.below(Math.max(1, mailbox.messages.length))] ?? {};
  if (uid === undefined) return undefined;
  try {
    using content = mailbox.content(uid);
    return { uid, id: /^Subject: (.*)\r$/m.exec(Buffer.from(content.read()).toString())?.[1] ?? "" };
  } catch {
    return undefined; // the other one has it
  }
}

await using store = openMaildir(folder, { now: Date.now });
await using target = deliverToMaildir(folder, { now: Date.now });
const mailboxes = ["INBOX", "Archive"].map((each) => store.open(each, { isReadOnly: false }));
say("ready");
for (;;) {
  const mailbox = dice.pick(mailboxes);
  const kind = dice.below(6);
  if (kind === 0) {
    const { id, content } = newMessage();
    await target.deliver({ content, from: "", recipient: "joe", receivedMs: Date.now() });
    say("added", id);
  } else if (kind === 1) {
    const messages = Array.from({ length: 1 + dice.below(3) }, newMessage);
    const ids = messages.map(({ id }) => id);
    say("adding", ...ids);
    const all = messages.map(({ content }) => ({ content, flags: ["\\Seen", "Work"], receivedMs: Date.now() }));
    await store.append(mailbox.name, all);
    say("added", ...ids);
  } else {
    const picked = pick(mailbox);
    if (picked === undefined) continue;
    const { uid, id } = picked;
    if (kind <= 3) {
      say("moving", id);
      await mailbox.move([uid], mailbox.name === "INBOX" ? "Archive" : "INBOX");
    } else if (kind === 4) {
      const { changed } = await mailbox.setFlags([uid], { mode: "add", flags: ["\\Flagged"] });
      if (changed.length > 0) say("flagged", id);
    } else {
      say("removing", id);
      await mailbox.setFlags([uid], { mode: "add", flags: ["\\Deleted"] });
      const gone = await mailbox.expunge([uid]);
      if (gone.length > 0) say("removed", id);
    }
  }
}
