import assert from "node:assert/strict";
import { hash } from "node:crypto";
import * as fs from "node:fs";
import { test } from "node:test";
import { openMbox } from "../../src/mail/store/mbox/index.ts";
import type { MailStore } from "../../src/mail/store/index.ts";
import { skipDovecot, startDovecot, type Dovecot } from "./dovecot.ts";
import type { ImapTalk } from "./imap-talk.ts";

interface State {
  readonly uidValidity: number;
  readonly uidNext: number;
  readonly messages: readonly string[];
}

const mailLocation = "mbox:~/mail:INBOX=~/spool";

function place(dovecot: Dovecot): { folder: string; inbox: string } {
  return { folder: `${dovecot.home()}/mail`, inbox: `${dovecot.home()}/spool` };
}

/** Short enough to be looked at where two differ. */
function shortened(text: string): string {
  return text.length < 120 ? text : `${text.slice(0, 60)}… ${hash("sha256", text)}`;
}

function openOurs(dovecot: Dovecot): MailStore {
  return openMbox(place(dovecot), { now: Date.now });
}

function ours(store: MailStore, name = "INBOX"): State {
  using mailbox = store.open(name, { isReadOnly: true });
  const messages = mailbox.messages.map(({ uid, flags, receivedMs }) => {
    using content = mailbox.content(uid);
    const text = Buffer.from(content.read()).toString("latin1");
    return [uid, flags.toSorted().join(" "), receivedMs, content.sizeBytes, shortened(text)].join("|");
  });
  return { uidValidity: mailbox.uidValidity, uidNext: mailbox.uidNext, messages };
}

async function theirs(dovecot: Dovecot, name = "INBOX"): Promise<State> {
  await using talk = await dovecot.logIn();
  const selected = (await talk.ok(`SELECT "${name}"`)).untagged.join("\n");
  const number = (word: string): number => Number(new RegExp(`\\[${word} (\\d+)\\]`).exec(selected)?.[1]);
  const { untagged } = await talk.ok("UID FETCH 1:* (FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])");
  await talk.ok("CHECK");
  await talk.ok("CLOSE");
  const messages = untagged.flatMap((line) => {
    const match = /UID (\d+) FLAGS \((.*?)\) INTERNALDATE "(.*?)" RFC822.SIZE (\d+) BODY\[\] \{\d+\}\r\n([^]*)\)$/.exec(
      line,
    );
    if (match === null) return [];
    const [, uid, flags = "", date = "", size, text] = match;
    const kept = flags.split(" ").filter((flag) => flag !== "\\Recent" && flag !== "");
    return [
      [uid, kept.toSorted().join(" "), Date.parse(date.replaceAll("-", " ")), size, shortened(text ?? "")].join("|"),
    ];
  });
  return { uidValidity: number("UIDVALIDITY"), uidNext: number("UIDNEXT"), messages };
}

async function both(dovecot: Dovecot, what: string): Promise<State> {
  await using store = openOurs(dovecot);
  const [mine, other] = [ours(store), await theirs(dovecot)];
  assert.deepEqual(mine, other, what);
  assert.deepEqual(ours(store), mine, `${what}, after Dovecot`);
  return mine;
}

const delivered = [
  "From a@example.org  Mon Nov 30 10:00:00 2026\nSubject: one\nStatus: RO\n\nbody\n>From me\nFrom here on\n\n",
  "From b@example.org Mon Nov 30 10:01 2026\nSubject: two\nX-UID: 9\nX-Keywords: Faked\n\nno empty line",
  "\nFrom c@example.org  Mon Nov 30 10:02:00 2026\nSubject: three\nContent-Length: 9\n\nFrom a\nb\n\n",
  "From d@example.org  Mon Nov 30 10:03:00 2026\nSubject: four\nContent-Length: 3\n\nlonger than that\n\n\n",
  "From e@example.org  Mon Nov 30 10:04:00 2026\nsubject: five\n\n\n",
].join("");

test("taken over from Dovecot and given back: UIDs, flags, dates and bytes stay", { skip: skipDovecot() }, async () => {
  await using dovecot = await startDovecot({ mailLocation });
  fs.writeFileSync(place(dovecot).inbox, delivered, { mode: 0o600 });
  {
    await using talk = await dovecot.logIn();
    await talk.ok("SELECT INBOX");
    await talk.ok("STORE 2 +FLAGS (\\Flagged $Forwarded Work)");
    await talk.ok("STORE 3 +FLAGS (\\Draft \\Answered)");
    await talk.ok("APPEND INBOX (\\Seen Work) ", Buffer.from("Subject: six\r\nStatus: x\r\n\r\nFrom here\r\nend"));
    await talk.ok("CHECK");
  }
  const before = await theirs(dovecot);
  const taken = await both(dovecot, "taken over");
  assert.deepEqual(taken, before);
  assert.equal(taken.messages.length, 6);
  {
    await using store = openOurs(dovecot);
    await store.append("INBOX", [
      {
        content: Buffer.from("Subject: seven\r\n\r\nFrom x  Mon Nov 30 10:03:00 2026\r\n"),
        flags: ["New"],
        receivedMs: 1.7e12,
      },
    ]);
    using inbox = store.open("INBOX", { isReadOnly: false });
    const uids = inbox.messages.map(({ uid }) => uid);
    await inbox.setFlags([uids[4]!, uids[0]!], { mode: "add", flags: ["\\Flagged", "Work", "$Label1"] });
    await inbox.setFlags([uids[1]!], { mode: "remove", flags: ["\\Flagged", "Work"] });
    await inbox.setFlags([uids[3]!], { mode: "add", flags: ["\\Deleted"] });
    assert.deepEqual(await inbox.expunge(), [uids[3]]);
  }
  const changed = await both(dovecot, "changed here");
  assert.equal(changed.uidValidity, taken.uidValidity);
  assert.equal(changed.messages.length, 6);
  fs.rmSync(`${place(dovecot).folder}/.imap`, { recursive: true });
  assert.deepEqual(await both(dovecot, "both without an index"), changed);
  {
    await using store = openOurs(dovecot);
    using inbox = store.open("INBOX", { isReadOnly: false });
    await inbox.setFlags(
      inbox.messages.map(({ uid }) => uid),
      { mode: "add", flags: ["\\Deleted"] },
    );
    await inbox.expunge();
  }
  const emptied = await both(dovecot, "emptied here");
  assert.deepEqual(emptied, { uidValidity: taken.uidValidity, uidNext: changed.uidNext, messages: [] });
  fs.appendFileSync(place(dovecot).inbox, delivered);
  const again = await both(dovecot, "delivered to again");
  assert.equal(again.uidNext, changed.uidNext + 5);
});

test("Dovecot and this store change one mailbox in turn, and see the same", { skip: skipDovecot() }, async (t) => {
  const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31);
  t.diagnostic(`seed ${seed}`);
  let state = seed;
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  await using dovecot = await startDovecot({ mailLocation });
  const { inbox } = place(dovecot);
  fs.writeFileSync(inbox, delivered, { mode: 0o600 });
  const flags = [
    "\\Seen",
    "\\Flagged",
    "\\Answered",
    "\\Draft",
    "Work",
    "$Forwarded",
    "a-rather-long-keyword-of-somebody",
  ];
  await using store = openOurs(dovecot);
  const asDovecot = async (work: (talk: ImapTalk, count: number) => Promise<unknown>): Promise<void> => {
    await using talk = await dovecot.logIn();
    const { untagged } = await talk.ok("SELECT INBOX");
    await work(talk, Number(/(\d+) EXISTS/.exec(untagged.join("\n"))?.[1] ?? 0));
    await talk.ok("CLOSE");
  };
  const asUs = async (work: (mailbox: ReturnType<MailStore["open"]>, uids: readonly number[]) => Promise<unknown>) => {
    using mailbox = store.open("INBOX", { isReadOnly: false });
    await work(
      mailbox,
      mailbox.messages.map(({ uid }) => uid),
    );
  };
  const some = (count: number): number => 1 + random(count);
  const steps: (() => Promise<void>)[] = [
    () =>
      asDovecot(
        async (talk, count) => count > 0 && talk.ok(`STORE ${some(count)} +FLAGS (${flags[random(flags.length)]})`),
      ),
    () =>
      asDovecot(
        async (talk, count) =>
          count > 2 && (await talk.ok(`STORE ${some(count)} +FLAGS (\\Deleted)`), talk.ok("EXPUNGE")),
      ),
    () =>
      asDovecot((talk) =>
        talk.ok(`APPEND INBOX (${flags[random(7)]}) `, Buffer.from(`Subject: d\r\n\r\n${"d\r\n".repeat(random(900))}`)),
      ),
    () =>
      asUs(async (mailbox, uids) =>
        mailbox.setFlags(
          uids.filter(() => random(3) === 0),
          { mode: "add", flags: [flags[random(7)]!] },
        ),
      ),
    () =>
      asUs(async (mailbox, uids) =>
        mailbox.setFlags(
          uids.filter(() => random(3) === 0),
          { mode: "remove", flags: [flags[random(7)]!] },
        ),
      ),
    () =>
      asUs(async (mailbox, uids) => {
        await mailbox.setFlags(
          uids.filter(() => random(5) === 0),
          { mode: "add", flags: ["\\Deleted"] },
        );
        await mailbox.expunge();
      }),
    () =>
      asUs(async () =>
        store.append("INBOX", [
          {
            content: Buffer.from(`Subject: o\r\n\r\n${"From o\r\n".repeat(random(400))}`),
            flags: [],
            receivedMs: 1.7e12,
          },
        ]),
      ),
    async () => fs.appendFileSync(inbox, delivered.slice(0, delivered.indexOf("From b@"))),
  ];
  for (let step = 0; step < 40; step++) {
    const which = random(steps.length);
    await steps[which]!();
    if (step % 4 === 3) await both(dovecot, `seed ${seed}, step ${step}, action ${which}`);
  }
});
