import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import type { MailStore } from "../../src/mail/store/index.ts";
import { openMaildir } from "../../src/mail/store/maildir/index.ts";
import { openMbox } from "../../src/mail/store/mbox/index.ts";
import { SmtpTalk } from "../mail/smtp/smtp-talk.ts";
import { runPeer } from "../peers/peer.ts";
import { temporaryFolder } from "../temp.ts";

const fixture = path.join(import.meta.dirname, "lmtp-receiver-fixture.ts");
const kills = Number(process.env["HOLDFAST_KILLS"] ?? 6);
const now = Date.now;

async function start(folder: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [fixture, folder], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  return child;
}

const recipients = ["joe@example.org", "anna@example.org"];

/** Sends one message to both; the codes of the answers, none where the connection ended before. */
async function send(talk: SmtpTalk, name: string): Promise<readonly string[]> {
  await talk.say("MAIL FROM:<a@sender.example>");
  for (const recipient of recipients) await talk.say(`RCPT TO:<${recipient}>`);
  if (!(await talk.say("DATA")).startsWith("354")) return [];
  talk.send(`Subject: ${name}\r\n\r\n${`${name} and so on\r\n`.repeat(name.length * 100)}end of ${name}\r\n.\r\n`);
  return [await talk.reply(), await talk.reply()].map((reply) => reply.slice(0, 3));
}

async function names(store: MailStore): Promise<readonly string[]> {
  await using closed = store;
  using inbox = closed.open("INBOX", { isReadOnly: true });
  return inbox.messages.map(({ uid }) => {
    using content = inbox.content(uid);
    const text = Buffer.from(content.read()).toString();
    const name = /^Subject: (\S+)/m.exec(text)?.[1] ?? "";
    assert.match(text, new RegExp(`\r\nend of ${name}\r\n$`), "each is whole");
    return name;
  });
}

function inboxes(folder: string): Promise<(readonly string[])[]> {
  const mbox = openMbox({ folder: `${folder}/mail`, inbox: `${folder}/anna` }, { now });
  return Promise.all([names(openMaildir(`${folder}/Maildir`, { now })), names(mbox)]);
}

test("killed under load: what was acknowledged by LMTP is there, and nothing twice", async (t) => {
  const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31);
  t.diagnostic(`seed ${seed}`);
  let state = seed;
  const random = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  await using folder = temporaryFolder();
  const acknowledged = recipients.map(() => new Set<string>());
  for (let round = 0; round < kills; round++) {
    const child = await start(folder.path);
    const senders = [0, 1].map(async (sender) => {
      await using talk = await SmtpTalk.start({ path: folder.join("lmtp") });
      await talk.reply();
      await talk.say("LHLO client.example");
      for (let count = 0; ; count++) {
        const name = `${round}-${sender}-${count}`;
        const codes = await send(talk, name);
        for (const [index, code] of codes.entries()) if (code === "250") acknowledged[index]!.add(name);
        if (codes.includes("") || codes.length === 0) return;
        if (sender === 0 && count === 2) setTimeout(() => child.kill("SIGKILL"), random() * 60);
      }
    });
    await Promise.all([...senders, once(child, "exit")]);
    const found = await inboxes(folder.path);
    for (const [index, there] of found.entries()) {
      const when = `${recipients[index]}, seed ${seed}, kill ${round}`;
      assert.equal(new Set(there).size, there.length, `doubled for ${when}`);
      assert.deepEqual(
        [...acknowledged[index]!].filter((name) => !there.includes(name)),
        [],
        `lost for ${when}`,
      );
    }
  }
  assert.ok(acknowledged.every((those) => those.size >= kills));
});

const needsRoot = { skip: process.getuid?.() === 0 ? false : "not root" };

test("on a full disk the answer is to try again, and nothing is left of what was begun", needsRoot, async () => {
  await using folder = temporaryFolder();
  runPeer("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", folder.path]);
  try {
    const child = await start(folder.path);
    await using talk = await SmtpTalk.start({ path: folder.join("lmtp") });
    await talk.reply();
    await talk.say("LHLO client.example");
    assert.deepEqual(await send(talk, "first"), ["250", "250"]);
    const mailboxes = (): readonly string[] => [
      fs.readFileSync(folder.join("anna"), "utf8"),
      ...fs.readdirSync(folder.join("Maildir/cur")),
    ];
    const before = mailboxes();
    const { bavail, bsize } = fs.statfsSync(folder.path);
    fs.writeFileSync(folder.join("ballast"), Buffer.alloc(bavail * bsize));
    assert.deepEqual(await send(talk, "second-and-large"), ["452", "452"]);
    assert.deepEqual(mailboxes(), before);
    fs.rmSync(folder.join("ballast"));
    assert.deepEqual(await send(talk, "third"), ["250", "250"]);
    child.kill("SIGKILL");
    await once(child, "exit");
    assert.deepEqual(await inboxes(folder.path), [
      ["first", "third"],
      ["first", "third"],
    ]);
  } finally {
    runPeer("umount", ["-l", folder.path]);
  }
});
