import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  BadCommand,
  Cursor,
  dateTimeText,
  isIn,
  type Literal,
  mailboxNameText,
  matchesPattern,
  mergedRanges,
  parseSequenceSet,
  readDateTime,
  readFetchItems,
  readFlags,
  readMailboxName,
  readSequenceSet,
  resolved,
  sequenceText,
} from "../../../src/mail/imap/grammar/index.ts";

const limits = { depth: 8, ranges: 50, listItems: 50, searchWords: 60 };

function cursorOf(text: string): Cursor {
  return new Cursor({ text, literals: [] }, limits);
}

/** What was quoted or made a literal for a client, as a command that holds it is received. */
function received(text: string): Cursor {
  const bytes = Buffer.from(text).toString("latin1");
  const found = /^\{([0-9]+)\}\r\n/.exec(bytes);
  if (found === null) return cursorOf(bytes);
  const literal: Literal = { at: 0, bytes: Buffer.from(bytes.slice(found[0].length), "latin1"), isBinary: false };
  return new Cursor({ text: found[0].trimEnd(), literals: [literal] }, limits);
}

test("a mailbox name comes back as it was sent, in UTF-8 and in modified UTF-7", () => {
  const characters = fc.oneof(fc.integer({ min: 1, max: 0x10_ffff }), fc.integer({ min: 1, max: 127 }));
  const names = fc.array(characters, { minLength: 1 }).map((codes) => String.fromCodePoint(...codes));
  fc.assert(
    fc.property(names, fc.boolean(), (name, isUtf8) => {
      fc.pre(name.isWellFormed() && name.toUpperCase() !== "INBOX");
      const cursor = received(mailboxNameText(name, { isUtf8 }));
      assert.equal(readMailboxName(cursor, { isUtf8 }), name);
      assert.ok(cursor.isAtEnd);
    }),
  );
});

const numbers = fc.integer({ min: 1, max: 60 });
const word = fc.oneof(numbers.map(String), fc.constant("*"));
const range = fc.oneof(
  word,
  fc.tuple(word, word).map(([from, to]) => `${from}:${to}`),
);

test("a sequence set means what a naive reading of it means", () => {
  fc.assert(
    fc.property(fc.array(range, { minLength: 1, maxLength: 12 }), fc.nat(50), (words, largest) => {
      const set = parseSequenceSet(words.join(","), 50);
      assert.ok(set !== "$");
      const wanted = new Set<number>();
      for (const each of largest === 0 ? [] : words) {
        const [a = 0, b = a] = each.split(":").map((end) => (end === "*" ? largest : Number(end)));
        for (let number = Math.min(a, b); number <= Math.max(a, b); number++) wanted.add(number);
      }
      const ranges = resolved(set, largest);
      for (let number = 1; number <= 61; number++) assert.equal(isIn(ranges, number), wanted.has(number), `${number}`);
    }),
  );
});

test("numbers are told in the order in which they come, and read back as the same set", () => {
  fc.assert(
    fc.property(fc.uniqueArray(numbers, { minLength: 1 }), (list) => {
      const set = parseSequenceSet(sequenceText(list), 100);
      assert.ok(set !== "$");
      const ranges = mergedRanges(set);
      assert.deepEqual(
        Array.from({ length: 60 }, (_, index) => index + 1).filter((number) => isIn(ranges, number)),
        list.toSorted((a, b) => a - b),
      );
    }),
  );
});

test("numbers of sequence sets at their limits", () => {
  assert.deepEqual(parseSequenceSet("4294967295", 1), [[4294967295, 4294967295]]);
  assert.deepEqual(parseSequenceSet("*:4,5:2", 2), [
    [4, Infinity],
    [2, 5],
  ]);
  for (const wrong of ["4294967296", "0", "1:", ":1", "1,,2", "1,", "1:2:3", "1,2,3", "12345678901", ""]) {
    assert.throws(() => parseSequenceSet(wrong, 2), BadCommand, wrong);
  }
});

test("a date comes back as it was sent; a day that is none is refused", () => {
  const aboutNow = fc.integer({ min: -2_000_000_000, max: 100_000_000_000 });
  fc.assert(
    fc.property(aboutNow, (seconds) => {
      assert.equal(readDateTime(cursorOf(dateTimeText(seconds * 1000))), seconds * 1000);
    }),
  );
  assert.equal(readDateTime(cursorOf('"17-Jul-1996 02:44:25 -0700"')), Date.UTC(1996, 6, 17, 9, 44, 25));
  for (const wrong of ['"30-Feb-2020 00:00:00 +0000"', '"01-Foo-2020 00:00:00 +0000"', '"1-Jan-2020 24:00:00 +0000"']) {
    assert.throws(() => readDateTime(cursorOf(wrong)), BadCommand);
  }
});

test("a pattern of LIST means what the regular expression of it means", () => {
  const letters = fc.string({ unit: fc.constantFrom("a", "b", "/"), maxLength: 12 });
  const patterns = fc.string({ unit: fc.constantFrom("a", "b", "/", "*", "%"), maxLength: 8 });
  fc.assert(
    fc.property(letters, patterns, (name, pattern) => {
      const expression = pattern.replaceAll("*", ".*").replaceAll("%", "[^/]*");
      assert.equal(matchesPattern(name, pattern), new RegExp(`^${expression}$`).test(name));
    }),
  );
  // Would take longer than the universe lasts, were every way tried.
  assert.equal(matchesPattern("a".repeat(500), `${"*a%".repeat(500)}x`), false);
});

test("whatever is in a command, it is read or refused, and nothing else", () => {
  const texts = fc.oneof(
    fc.string({ unit: "binary-ascii", maxLength: 200 }),
    fc.string({
      unit: fc.constantFrom(...Array.from('BODY.PEEK[]<0>(HEADER.FIELDS ) 1:*,$"\\{}~NIL%FLAGS-+&'), "\u00ff", "\0"),
      maxLength: 60,
    }),
  );
  const readers: readonly ((cursor: Cursor) => unknown)[] = [
    (cursor) => cursor.tokens(),
    (cursor) => readFetchItems(cursor),
    (cursor) => readSequenceSet(cursor),
    (cursor) => readFlags(cursor),
    (cursor) => readMailboxName(cursor, { isUtf8: false }),
    (cursor) => readMailboxName(cursor, { isUtf8: true }),
    (cursor) => readDateTime(cursor),
    (cursor) => cursor.list(() => cursor.nstring(), { mayBeEmpty: true }),
  ];
  fc.assert(
    fc.property(texts, fc.constantFrom(...readers), (text, read) => {
      try {
        read(cursorOf(text));
      } catch (error) {
        if (!(error instanceof BadCommand)) throw error;
      }
    }),
    { numRuns: 5000 },
  );
});

test("what is nested or listed beyond the limits is refused", () => {
  const nested = (depth: number): string => "(".repeat(depth) + "a" + ")".repeat(depth);
  assert.equal(cursorOf(nested(limits.depth)).tokens().length, 1);
  assert.throws(() => cursorOf(nested(limits.depth + 1)).tokens(), /too many parentheses/);
  const listed = (count: number): string => `(${Array.from({ length: count }, () => "UID").join(" ")})`;
  assert.equal(readFetchItems(cursorOf(listed(limits.listItems))).length, limits.listItems);
  assert.throws(() => readFetchItems(cursorOf(listed(limits.listItems + 1))), /too long/);
});

test("a literal is only where one was received: its like within quotes is text", () => {
  const literals: readonly Literal[] = [{ at: 6, bytes: Buffer.from('x"y'), isBinary: false }];
  const cursor = new Cursor({ text: '"{3}" {3} {3}', literals }, limits);
  assert.equal(cursor.astring(), "{3}");
  cursor.space();
  assert.equal(cursor.astring(), 'x"y');
  cursor.space();
  assert.throws(() => cursor.astring(), BadCommand);
});
