/** Dovecot and Holdfast change the same Maildir at the same time, at random; then both see the same. */
import assert from "node:assert/strict";
import test from "node:test";
import { setTimeout } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { deliverToMaildir, openMaildir } from "../../src/mail/store/maildir/index.ts";
import type { MailStore, OpenMailbox } from "../../src/mail/store/index.ts";
import { Dice } from "../dice.ts";
import { skipDovecot, startDovecot } from "./dovecot.ts";
import { asDovecotSees, asHoldfastSees } from "./maildir-contents.ts";
import type { ImapTalk } from "./imap-talk.ts";

const steps = process.env["HOLDFAST_WHOLE_MATRIX"] === "1" ? 1500 : 120;
const flags = ["\\Seen", "\\Flagged", "\\Answered", "Work", "$Junk"];

/** What each side was told has been done. */
interface Told {
  /** Subjects that were added and acknowledged, as often as there are copies. */
  readonly added: Map<string, number>;
  /** Those of which a copy may have gone, or come, without being told. */
  readonly unsure: Set<string>;
}

function add(told: Told, subject: string, count: number): void {
  told.added.set(subject, (told.added.get(subject) ?? 0) + count);
}

function mail(subject: string): Buffer {
  return Buffer.from(`Subject: ${subject}\r\n\r\ntext of ${subject}\r\n`);
}

async function byDovecot(talk: ImapTalk, dice: Dice, told: Told, step: number): Promise<void> {
  const name = dice.pick(["INBOX", "Archive"]);
  const other = name === "INBOX" ? "Archive" : "INBOX";
  const { untagged } = await talk.ok(`SELECT ${name}`);
  const count = Number(/^(\d+) EXISTS$/m.exec(untagged.join("\n"))?.[1] ?? 0);
  const kind = dice.below(6);
  if (kind === 0 || count === 0) {
    await talk.ok(`APPEND ${name} (${dice.pick(flags)}) `, mail(`d${step}`));
    add(told, `d${step}`, 1);
    return;
  }
  const number = 1 + dice.below(count);
  if (kind <= 2) {
    await talk.command(`STORE ${number} ${dice.pick(["+FLAGS", "-FLAGS"])} (${dice.pick(flags)})`);
    return;
  }
  const fetched = (await talk.command(`FETCH ${number} BODY.PEEK[HEADER.FIELDS (SUBJECT)]`)).untagged.join("\n");
  const [, subject] = /Subject: (\S+)/.exec(fetched) ?? [];
  if (subject === undefined) return;
  told.unsure.add(subject);
  if (kind === 3) await talk.command(`MOVE ${number} ${other}`);
  if (kind === 4) await talk.command(`COPY ${number} ${other}`);
  if (kind === 5) {
    await talk.command(`STORE ${number} +FLAGS (\\Deleted)`);
    await talk.command("EXPUNGE");
  }
}

async function byHoldfast(
  store: MailStore,
  views: readonly OpenMailbox[],
  dice: Dice,
  told: Told,
  step: number,
): Promise<void> {
  const view = dice.pick(views);
  view.sync();
  const kind = dice.below(6);
  if (kind === 0 || view.messages.length === 0) {
    const messages = [`h${step}`, `h${step}b`].map((subject) => ({
      content: mail(subject),
      flags: [],
      receivedMs: step,
    }));
    await store.append(view.name, messages);
    for (const subject of [`h${step}`, `h${step}b`]) add(told, subject, 1);
    return;
  }
  const { uid } = dice.pick(view.messages);
  if (kind <= 2) {
    await view.setFlags([uid], { mode: dice.pick(["add", "remove"]), flags: [dice.pick(flags)] });
    return;
  }
  const subject = subjectOf(view, uid);
  if (subject === undefined) return;
  told.unsure.add(subject);
  const other = view.name === "INBOX" ? "Archive" : "INBOX";
  if (kind === 3) await view.move([uid], other);
  if (kind === 4) await view.copy([uid], other);
  if (kind === 5) {
    await view.setFlags([uid], { mode: "add", flags: ["\\Deleted"] });
    await view.expunge([uid]);
  }
}

function subjectOf(view: OpenMailbox, uid: number): string | undefined {
  try {
    using content = view.content(uid);
    return /Subject: (\S+)/.exec(Buffer.from(content.read()).toString())?.[1];
  } catch {
    return undefined; // Dovecot has taken it away
  }
}

test("both at the same time: the same messages, UIDs and flags in the end", { skip: skipDovecot() }, async () => {
  const seed = Number(process.env["HOLDFAST_SEED"] ?? Date.now() % 1_000_000);
  await using dovecot = await startDovecot();
  const maildir = `${dovecot.home()}/Maildir`;
  await using store = openMaildir(maildir, { now: Date.now });
  await store.create("Archive");
  await using target = deliverToMaildir(maildir, { now: Date.now });
  await using talk = await dovecot.logIn();
  const views = ["INBOX", "Archive"].map((name) => store.open(name, { isReadOnly: false }));
  const told: Told = { added: new Map(), unsure: new Set() };
  const run = async (salt: number, work: (dice: Dice, step: number) => Promise<void>): Promise<void> => {
    const dice = new Dice(seed + salt);
    for (let step = 0; step < steps; step++) await work(dice, step);
  };
  try {
    await Promise.all([
      run(1, (dice, step) => byDovecot(talk, dice, told, step)),
      run(2, (dice, step) => byHoldfast(store, views, dice, told, step)),
      run(3, async (_, step) => {
        await target.deliver({ content: mail(`n${step}`), from: "", recipient: "joe", receivedMs: step });
        add(told, `n${step}`, 1);
      }),
    ]);
    const there = new Map<string, number>();
    for (const name of ["INBOX", "Archive"]) {
      // Each looks a second later at what the other did at the very moment of a change of its own.
      let ours = asHoldfastSees(store, name);
      for (let tries = 0; tries < 20 && !isDeepStrictEqual(await asDovecotSees(talk, name), ours); tries++) {
        await setTimeout(200);
        ours = asHoldfastSees(store, name);
      }
      assert.deepEqual(await asDovecotSees(talk, name), ours, name);
      const uids = ours.slice(1).map((line) => line.split(" ")[0]);
      assert.equal(new Set(uids).size, uids.length);
      for (const line of ours.slice(1)) {
        const subject = line.split(" ").at(-1) ?? "";
        there.set(subject, (there.get(subject) ?? 0) + 1);
      }
    }
    for (const [subject, count] of told.added) {
      if (!told.unsure.has(subject)) assert.equal(there.get(subject), count, subject);
    }
    assert.doesNotMatch(dovecot.log(), /Panic|Fatal|Broken/);
  } catch (error) {
    throw new Error(`with HOLDFAST_SEED=${seed}; ${dovecot.log().slice(-3000)}`, { cause: error });
  }
});
