/** Delivers, moves and expunges until it is killed; says on standard output what it was told. */
import * as fs from "node:fs";
import { openMbox } from "../../src/mail/store/mbox/index.ts";

const [, , folder = "", round = ""] = process.argv;

function say(what: string, name: string): void {
  fs.writeSync(1, `${what} ${name}\n`);
}

function nameIn(text: Uint8Array): string {
  return /^Subject: (\S+)/m.exec(Buffer.from(text).toString())?.[1] ?? "";
}

await using store = openMbox({ folder: `${folder}/mail`, inbox: `${folder}/joe` }, { now: Date.now });
if (!store.list().some(({ name }) => name === "Archive")) await store.create("Archive");
using inbox = store.open("INBOX", { isReadOnly: false });
using archive = store.open("Archive", { isReadOnly: false });
for (let turn = 0; ; turn++) {
  const name = `${round}-${turn}`;
  const content = Buffer.from(
    `Subject: ${name}\r\n\r\n${`${name} and so on\r\n`.repeat((turn * 97) % 700)}end of ${name}\r\n`,
  );
  await store.append("INBOX", [{ content, flags: [], receivedMs: Date.now() }]);
  say("appended", name);
  inbox.sync();
  const uids = inbox.messages.map(({ uid }) => uid);
  const named = (box: typeof inbox, uid: number): string => {
    using message = box.content(uid);
    return nameIn(message.read());
  };
  if (turn % 3 === 1) {
    await inbox.move(uids.slice(0, 2), "Archive");
    say("moved", name);
  }
  if (turn % 3 === 2 && uids.length > 2) {
    const uid = uids[Math.floor(uids.length / 2)] ?? 0;
    say("expunging", named(inbox, uid));
    await inbox.setFlags([uid], { mode: "add", flags: ["\\Deleted"] });
    await inbox.expunge();
  }
  archive.sync();
  const [first] = archive.messages;
  if (archive.messages.length > 30 && first !== undefined) {
    say("expunging", named(archive, first.uid));
    await archive.setFlags([first.uid], { mode: "add", flags: ["\\Deleted", "Old"] });
    await archive.expunge();
  }
}
