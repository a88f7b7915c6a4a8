import assert from "node:assert/strict";
import * as fs from "node:fs";
import { after, before, suite, test } from "node:test";
import { memoryMail, Talk } from "../mail/imap/talk.ts";
import { startDovecot, skipDovecot, type Dovecot } from "./dovecot.ts";
import type { ImapTalk } from "./imap-talk.ts";

/** A mailbox made by dice that fall the same each time: answers to answers, some of which are missing. */
function randomMailbox(count: number, seed: number): readonly RandomMessage[] {
  let state = seed;
  const dice = (sides: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return (state >>> 8) % sides;
  };
  const pick = <T>(list: readonly T[]): T => list[dice(list.length)]!;
  const messages: RandomMessage[] = [];
  for (let number = 1; number <= count; number++) {
    const parent = dice(3) === 0 ? undefined : messages[dice(Math.max(1, messages.length))];
    const id = dice(20) === 0 && parent !== undefined ? parent.id : `<${number}.${seed}@example.org>`;
    const known = parent === undefined ? [] : [...parent.references, parent.id].slice(dice(4) === 0 ? -1 : -6);
    // Some programs have them in a wrong order, or name the message itself.
    const references = dice(12) === 0 ? [...known.toReversed(), ...(dice(2) === 0 ? [id] : [])] : known;
    const subject =
      parent === undefined || dice(8) === 0
        ? pick(subjects)
        : `${pick(["Re: ", "RE: ", "Fwd: ", "[list] Re: ", ""])}${parent.subject}`;
    const sentMs = Date.UTC(2020, dice(3), 1 + dice(28), dice(24), dice(60), dice(60));
    messages.push({
      id,
      references,
      subject,
      // Some that others answer to never came.
      isMissing: dice(5) === 0,
      receivedMs: Date.UTC(2020, 3, 1 + dice(28), dice(24), dice(60), dice(60)),
      flags: ["D", "F", "R", "S", "T"].filter(() => dice(3) === 0).join(""),
      text: [
        `From: ${pick(people)}`,
        `To: ${pick(people)}, ${pick(people)}`,
        ...(dice(3) === 0 ? [`Cc: ${pick(people)}`] : []),
        ...(dice(15) === 0
          ? []
          : [`Date: ${new Date(sentMs).toUTCString().replace("GMT", pick(["+0000", "+0200", "-0930"]))}`]),
        `Subject: ${subject}`,
        ...(dice(15) === 0 ? [] : [`Message-ID: ${id}`]),
        ...(references.length === 0 || dice(5) === 0 ? [] : [`References: ${references.join("\r\n ")}`]),
        ...(references.length === 0 || dice(2) === 0 ? [] : [`In-Reply-To: ${references.at(-1)}`]),
        "Content-Type: text/plain; charset=utf-8",
        "",
        Array.from({ length: 1 + dice(30) }, () => pick(words)).join(" "),
        "",
      ].join("\r\n"),
    });
  }
  return messages.filter((message) => !message.isMissing);
}

interface RandomMessage {
  readonly id: string;
  readonly references: readonly string[];
  readonly subject: string;
  readonly isMissing: boolean;
  readonly receivedMs: number;
  /** As in the names of Maildir. */
  readonly flags: string;
  readonly text: string;
}

const subjects = [
  "Holidays",
  "holidays",
  "Invoice 5",
  "[list] Minutes",
  "=?utf-8?q?Gr=C3=BC=C3=9Fe?=",
  "Zebra",
  "apple",
  "",
  "Re: lost",
];
const people = [
  "Joe <joe@example.org>",
  '"Pat Q." <pat@example.org>',
  "zoe@example.com",
  "=?utf-8?q?=C3=84nne?= <anne@example.com>",
  "BOB <Bob@example.net>",
];
const words = ["alpha", "beta", "gamma", "délta", "epsilon", "zeta", "eta", "theta"];
const flagNames: Readonly<Record<string, string>> = {
  D: "\\Draft",
  F: "\\Flagged",
  R: "\\Answered",
  S: "\\Seen",
  T: "\\Deleted",
};

const skip = skipDovecot();

suite("Dovecot and this server find the same", { skip }, () => {
  const messages = [...randomMailbox(120, 1), ...randomMailbox(60, 2)];
  let dovecot: Dovecot;
  let theirs: ImapTalk;
  let ours: Talk;

  before(async () => {
    dovecot = await startDovecot({ settings: "import_environment = TZ=UTC" });
    const folder = `${dovecot.home()}/Maildir/cur`;
    fs.mkdirSync(folder, { recursive: true });
    const mail = memoryMail();
    for (const [index, message] of messages.entries()) {
      const file = `${folder}/${1_000_000_000 + index}.M${index}.host:2,${message.flags}`;
      fs.writeFileSync(file, message.text);
      fs.utimesSync(file, message.receivedMs / 1000, message.receivedMs / 1000);
      const flags = Array.from(message.flags, (letter) => flagNames[letter]!);
      mail.add("INBOX", { content: Buffer.from(message.text), flags, receivedMs: message.receivedMs });
    }
    theirs = await dovecot.logIn();
    await theirs.ok("SELECT INBOX");
    ours = await Talk.open({ mail });
    await ours.answerTo("a SELECT INBOX");
  });
  after(async () => {
    await ours?.[Symbol.asyncDispose]();
    await theirs?.[Symbol.asyncDispose]();
    await dovecot?.[Symbol.asyncDispose]();
  });

  const both = async (command: string): Promise<void> => {
    const said = (await theirs.ok(command)).untagged.filter((line) => /^(?:SEARCH|ESEARCH|SORT|THREAD)/.test(line));
    const answer = (await ours.answerTo(`b ${command}`))
      .filter((line) => line.startsWith("* "))
      .map((line) => line.slice(2));
    const plain = (lines: readonly string[]): readonly string[] =>
      lines.map((line) => line.replace(/TAG "[^"]*"/, "TAG"));
    assert.deepEqual(plain(answer), plain(said), command);
  };

  test("by SEARCH", async () => {
    const keys = [
      "ALL",
      "SEEN UNFLAGGED",
      "NOT (ANSWERED OR DELETED DRAFT)",
      "3:50 SEEN",
      "UID 10:* FLAGGED",
      "FROM joe",
      "FROM Q.",
      "TO example.net",
      "CC pat",
      "SUBJECT holidays",
      "SUBJECT re:",
      'HEADER References "@"',
      'HEADER In-Reply-To ""',
      'HEADER X-None ""',
      "BODY zeta",
      "BODY DELTA",
      "TEXT anne",
      "NOT BODY alpha NOT BODY beta",
      "OR FROM zoe BODY gamma",
      "SINCE 10-Apr-2020 BEFORE 20-Apr-2020",
      "ON 12-Apr-2020",
      "SENTSINCE 10-Feb-2020",
      // To Dovecot a message without a date is one of 1970.
      'HEADER Date "" SENTBEFORE 10-Feb-2020',
      "SENTON 3-Mar-2020",
      "LARGER 400",
      "SMALLER 350",
    ];
    for (const key of keys) await both(`SEARCH ${key}`);
    await both("UID SEARCH RETURN (MIN MAX COUNT ALL) FROM joe");
    await both('SEARCH RETURN (MIN) HEADER X-None ""');
  });

  test("by SORT", async () => {
    const keys = ["ARRIVAL", "DATE", "SIZE", "SUBJECT", "FROM", "TO", "CC", "DISPLAYFROM", "DISPLAYTO"];
    for (const key of keys) {
      await both(`SORT (${key}) UTF-8 ALL`);
      await both(`UID SORT (REVERSE ${key} SUBJECT REVERSE DATE) UTF-8 SEEN`);
    }
    await both("SORT RETURN (COUNT MIN MAX ALL) (SUBJECT) UTF-8 FLAGGED");
    await both("UID SORT RETURN () (REVERSE DATE) UTF-8 FLAGGED");
  });

  test("by THREAD", async () => {
    for (const way of ["ORDEREDSUBJECT", "REFERENCES", "REFS"]) {
      await both(`THREAD ${way} UTF-8 ALL`);
      await both(`UID THREAD ${way} UTF-8 SEEN`);
    }
  });
});
