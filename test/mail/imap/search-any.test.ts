import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { Cursor, type ParseLimits } from "../../../src/mail/imap/grammar/index.ts";
import { search } from "../../../src/mail/imap/search/evaluate.ts";
import { readKeys } from "../../../src/mail/imap/search/read-key.ts";
import { TokenReader } from "../../../src/mail/imap/search/token-reader.ts";
import { memoryMail } from "./talk.ts";

/** A message as the naive evaluation sees it. */
interface Plain {
  readonly number: number;
  readonly uid: number;
  readonly flags: readonly string[];
  readonly day: number;
  readonly sentDay: number;
  readonly subject: string;
  readonly body: string;
  readonly size: number;
}

type Holds = (message: Plain, last: Plain) => boolean;
/** A key as a client writes it, and what it means. */
type Key = readonly [text: string, holds: Holds];

const words = ["alpha", "beta", "gamma"];
const flags = ["\\Seen", "\\Deleted", "$Work"];

function dayText(day: number): string {
  const [, date = "", month = "", year = ""] = new Date(day * 86_400_000).toUTCString().split(" ");
  return `${Number(date)}-${month}-${year}`;
}

const days = fc.integer({ min: 18_000, max: 18_004 });
const numbers = fc.oneof(fc.constantFrom("*"), fc.integer({ min: 1, max: 9 }).map(String));
const sets: fc.Arbitrary<readonly [string, (value: number, most: number) => boolean]> = fc
  .array(fc.tuple(numbers, fc.option(numbers)), { minLength: 1, maxLength: 3 })
  .map((ranges) => {
    const text = ranges.map(([from, to]) => (to === null ? from : `${from}:${to}`)).join(",");
    const holds = (value: number, most: number): boolean => {
      return ranges.some(([from, to]) => {
        const ends = [from, to ?? from].map((end) => (end === "*" ? most : Number(end)));
        return value >= Math.min(...ends) && value <= Math.max(...ends);
      });
    };
    return [text, holds];
  });

const simpleKeys: readonly fc.Arbitrary<Key>[] = [
  fc.constantFrom<Key>(
    ["ALL", () => true],
    ["SEEN", ({ flags }) => flags.includes("\\Seen")],
    ["UNDELETED", ({ flags }) => !flags.includes("\\Deleted")],
    ["KEYWORD $WORK", ({ flags }) => flags.includes("$Work")],
  ),
  fc
    .constantFrom(...words)
    .map((word): Key => [`SUBJECT ${word.toUpperCase()}`, ({ subject }) => subject.includes(word)]),
  fc.constantFrom(...words).map((word): Key => [`BODY "${word}"`, ({ body }) => body.includes(word)]),
  fc
    .constantFrom(...words)
    .map((word): Key => [`TEXT ${word}`, ({ body, subject }) => (body + subject).includes(word)]),
  days.map((day): Key => [`BEFORE ${dayText(day)}`, (message) => message.day < day]),
  days.map((day): Key => [`SENTSINCE ${dayText(day)}`, ({ sentDay }) => sentDay >= day]),
  days.map((day): Key => [`ON "${dayText(day)}"`, (message) => message.day === day]),
  fc.integer({ min: 90, max: 130 }).map((bytes): Key => [`LARGER ${bytes}`, ({ size }) => size > bytes]),
  sets.map(([text, holds]): Key => [text, ({ number }, last) => holds(number, last.number)]),
  sets.map(([text, holds]): Key => [`UID ${text}`, ({ uid }, last) => holds(uid, last.uid)]),
];

const { key: anyKey } = fc.letrec<{ key: Key }>((tie) => ({
  key: fc.oneof(
    { depthSize: "medium", withCrossShrink: true },
    ...simpleKeys,
    tie("key").map(([text, holds]): Key => [`NOT ${text}`, (message, last) => !holds(message, last)]),
    fc
      .tuple(tie("key"), tie("key"))
      .map(([[a, isA], [b, isB]]): Key => [
        `OR ${a} ${b}`,
        (message, last) => isA(message, last) || isB(message, last),
      ]),
    fc
      .array(tie("key"), { minLength: 1, maxLength: 3 })
      .map((keys): Key => [
        `(${keys.map(([text]) => text).join(" ")})`,
        (message, last) => keys.every(([, holds]) => holds(message, last)),
      ]),
  ),
}));

const anyMailbox = fc.array(
  fc.record({
    flags: fc.subarray(flags),
    day: days,
    sentDay: days,
    subject: fc.subarray(words),
    body: fc.subarray(words),
    isGone: fc.boolean(),
  }),
  { maxLength: 8 },
);

const limits: ParseLimits = { depth: 50, ranges: 100, listItems: 1000, searchWords: 1000 };

suite("a search", () => {
  test("finds what looking at every message finds", async () => {
    await fc.assert(
      fc.asyncProperty(anyMailbox, anyKey, async (made, [text, holds]) => {
        const mail = memoryMail();
        for (const { flags: own, day, sentDay, subject, body } of made) {
          const date = new Date(sentDay * 86_400_000 + 23 * 3_600_000).toUTCString().replace("GMT", "-0500");
          const content = `Date: ${date}\r\nSubject: ${subject.join(" ")}\r\n\r\n${body.join(" ")}`;
          mail.add("INBOX", { content: Buffer.from(content), flags: own, receivedMs: day * 86_400_000 + 5 });
        }
        using box = mail.store().open("INBOX", { isReadOnly: false });
        const gone = made.flatMap(({ isGone }, index) => (isGone ? [index + 1] : []));
        await box.setFlags(gone, { mode: "add", flags: ["\\Deleted"] });
        await box.expunge(gone);
        const plain = box.messages.map((record, index): Plain => {
          const { flags: own, day, sentDay, subject, body } = made[record.uid - 1]!;
          const [subjectText, bodyText] = [subject.join(" "), body.join(" ")];
          return {
            number: index + 1,
            uid: record.uid,
            flags: own,
            day,
            sentDay,
            subject: subjectText,
            body: bodyText,
            size: record.sizeBytes,
          };
        });
        const tokens = new Cursor({ text, literals: [] }, limits).tokens();
        const key = readKeys(new TokenReader(tokens, limits), undefined);
        const view = { mailbox: box, records: box.messages, saved: [], now: () => 0 };
        const found = await search(view, key);
        const expected = plain.filter((message) => holds(message, plain.at(-1)!));
        assert.deepEqual(
          found.map(({ number }) => number),
          expected.map(({ number }) => number),
          text,
        );
      }),
      { numRuns: 500 },
    );
  });

  test("looks at bodies only of what all else leaves", async () => {
    const mail = memoryMail();
    for (let number = 1; number <= 20; number++) {
      mail.add("INBOX", { content: Buffer.from("\r\nword"), flags: number <= 3 ? ["\\Seen"] : [] });
    }
    using box = mail.store().open("INBOX", { isReadOnly: true });
    const asked: number[] = [];
    const watched = {
      summaries: box.summaries.bind(box),
      matching: (...[query, uids]: Parameters<typeof box.matching>) => {
        asked.push(uids.length);
        return box.matching(query, uids);
      },
    };
    const ask = (text: string): ReturnType<typeof search> => {
      const tokens = new Cursor({ text, literals: [] }, limits).tokens();
      const key = readKeys(new TokenReader(tokens, limits), undefined);
      return search({ mailbox: watched, records: box.messages, saved: [], now: () => 0 }, key);
    };
    assert.equal((await ask("BODY word SEEN")).length, 3);
    assert.equal((await ask("OR BODY word NOT SEEN")).length, 20);
    assert.equal((await ask("BODY word DELETED")).length, 0);
    assert.deepEqual(asked, [3, 3]);
  });
});
