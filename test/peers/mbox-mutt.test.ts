import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { appendToMbox, openMbox } from "../../src/mail/store/mbox/index.ts";
import { temporaryFolder } from "../temp.ts";
import { runPeer, skipWithout } from "./peer.ts";

const nowMs = (): number => Date.now();

test(
  "mutt flags and removes messages; the others keep their UIDs",
  { skip: skipWithout("neomutt", "script") },
  async () => {
    await using folder = temporaryFolder();
    const inbox = folder.join("joe");
    await using store = openMbox({ folder: folder.join("mail"), inbox }, { now: nowMs });
    const content = (subject: string): Buffer => Buffer.from(`Subject: ${subject}\r\n\r\nFrom ${subject}\r\n\r\n`);
    const messages = ["one", "two", "three", "four", "five"].map((subject) => {
      return { content: content(subject), flags: subject === "two" ? ["Work"] : [], receivedMs: 1.7e12 };
    });
    const { uids } = await store.append("INBOX", messages);
    await using target = appendToMbox(inbox, { nowMs });
    await target.deliver({ content: content("six"), from: "a@b", recipient: "joe", receivedMs: nowMs() });
    using mailbox = store.open("INBOX", { isReadOnly: false });
    await mailbox.setFlags([uids[3]!], { mode: "add", flags: ["\\Seen"] });
    const rules = folder.join("muttrc");
    const keys = "<first-entry><delete-message><flag-message><last-entry><delete-message><sync-mailbox><quit>";
    fs.writeFileSync(
      rules,
      `set folder=${folder.path}\nset move=no\nset delete=yes\nset quit=yes\nset mark_old=no\nset mail_check=0\npush '${keys}'\n`,
    );
    const command = `neomutt -n -F ${rules} -f ${inbox}`;
    runPeer("script", ["-qec", command, "/dev/null"], {
      env: { TERM: "xterm", HOME: folder.path },
      timeout: 20_000,
      input: "",
    });
    const { vanished, changed } = mailbox.sync();
    assert.equal(vanished.length, 2);
    assert.ok(changed.length > 0);
    const shown = mailbox.messages.map(({ uid, flags }) => {
      using bytes = mailbox.content(uid);
      return [uid, /Subject: (\w+)/.exec(Buffer.from(bytes.read()).toString())?.[1], flags.join(" ")];
    });
    assert.deepEqual(shown, [
      [uids[1], "two", "Work \\Flagged"],
      [uids[2], "three", ""],
      [uids[3], "four", "\\Seen"],
      [uids[4], "five", ""],
    ]);
  },
);
