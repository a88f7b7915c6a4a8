/** Started as root, users of the system: each one's mail is opened as that user, and everything else as nobody. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { MailMachine, type Talk } from "./mail-machine.ts";

const skip = process.getuid?.() === 0 ? false : "needs root";
const uids = { joe: 61_001, anna: 61_002 };

test("two users of the system, by IMAP and POP3", { skip }, async () => {
  await using machine = await machineOfTwo();
  await machine.start();
  for (const user of ["joe", "anna"] as const) {
    const client = await machine.client(`${user}@example.org`);
    const imap = machine.connect("imaps", client);
    await imap.until("\r\n");
    imap.send(`a LOGIN ${user} secret\r\nb CREATE Archive\r\nc SELECT INBOX\r\nd COPY 1 Archive\r\n`);
    assert.match(await imap.until("d OK"), /\* 1 EXISTS/);
    imap.send(
      "e APPEND Archive {10+}\r\nSubject: x\r\ne2 STORE 1 +FLAGS (\\Flagged)\r\ne3 MOVE 1 Archive\r\nf LOGOUT\r\n",
    );
    const rest = await imap.rest();
    assert.match(rest, /e OK[^]*e2 OK[^]*e3 OK/);
    for (const file of filesIn(machine.folder.join("home", user))) {
      assert.equal(fs.lstatSync(file).uid, uids[user], file);
    }
  }
});

test("a user whose mail lies in another's folder, by a link too, opens nothing", { skip }, async () => {
  await using machine = await machineOfTwo();
  fs.rmSync(machine.folder.join("home/joe/Maildir"), { recursive: true });
  fs.symlinkSync(machine.folder.join("home/anna/Maildir"), machine.folder.join("home/joe/Maildir"));
  await machine.start();
  const joe = await machine.client("joe@example.org");
  const talk: Talk = machine.connect("pop3s", joe);
  await talk.until("\r\n");
  await talk.ask("USER joe");
  assert.match(await talk.ask("PASS secret"), /^-ERR \[SYS\/TEMP\]/);
  assert.ok(filesIn(machine.folder.join("home/anna")).every((file) => fs.lstatSync(file).uid === uids.anna));
});

async function machineOfTwo(): Promise<MailMachine> {
  const machine = await MailMachine.make();
  const { folder } = machine;
  fs.chmodSync(folder.path, 0o755);
  machine.deliver("joe", "Subject: for joe\r\n\r\n");
  machine.deliver("anna", "Subject: for anna\r\n\r\n");
  const lines = Object.entries(uids).map(([user, uid]) => {
    const home = folder.join("home", user);
    for (const file of [home, ...filesIn(home)]) fs.chownSync(file, uid, uid);
    fs.chmodSync(home, 0o700);
    return `${user}:{PLAIN}secret:${uid}:${uid}::${home}::\n`;
  });
  fs.writeFileSync(folder.join("domains/example.org/imap.passwd"), lines.join(""));
  const text = fs.readFileSync(folder.join("mail.toml"), "utf8").replace('account = "root"\n', "");
  fs.writeFileSync(folder.join("mail.toml"), text.replace("[mailboxes]\n", "[mailboxes]\nsystem_users = true\n"));
  return machine;
}

function filesIn(folder: string): readonly string[] {
  return fs.readdirSync(folder, { recursive: true, encoding: "utf8" }).map((name) => `${folder}/${name}`);
}
