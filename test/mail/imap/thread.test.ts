import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { threadsByLinks, threadsByReferences } from "../../../src/mail/imap/search/thread-by-references.ts";
import { threadsBySubject } from "../../../src/mail/imap/search/thread-by-subject.ts";
import { threadsText, type ThreadMessage } from "../../../src/mail/imap/search/thread-node.ts";
import { memoryMail, Talk } from "./talk.ts";

interface Short {
  readonly id?: string;
  readonly references?: readonly string[];
  readonly subject?: string;
  readonly isReply?: boolean;
  readonly sentMs?: number;
}

function messagesOf(list: readonly Short[]): readonly ThreadMessage[] {
  return list.map(({ id, references = [], subject = "", isReply = false, sentMs }, index) => {
    const number = index + 1;
    return { number, told: number, sentMs: sentMs ?? number, id, references, baseSubject: subject, isReply };
  });
}

suite("THREAD=REFERENCES", () => {
  const threads = (...list: readonly Short[]): string => threadsText(threadsByReferences(messagesOf(list)));

  test("puts answers below what they answer", () => {
    assert.equal(threads({ id: "a" }, { id: "b", references: ["a"] }, { id: "c", references: ["a", "b"] }), "(1 2 3)");
    assert.equal(threads({ id: "a" }, { references: ["a"] }, { references: ["a"] }, {}), "(1 (2)(3))(4)");
  });

  test("keeps a place for what is not here only where it holds several together", () => {
    assert.equal(threads({ references: ["gone"] }, { references: ["gone"] }), "((1)(2))");
    assert.equal(threads({ references: ["gone"] }), "(1)");
    assert.equal(threads({ id: "a" }, { references: ["a", "gone"] }, { references: ["a", "gone"] }), "(1 (2)(3))");
  });

  test("puts threads of one subject together", () => {
    const subject = "X";
    assert.equal(threads({ subject }, { subject, isReply: true }), "(1 2)");
    assert.equal(threads({ subject, isReply: true }, { subject }), "(2 1)");
    assert.equal(threads({ subject }, { subject }), "((1)(2))");
    assert.equal(threads({}, {}), "(1)(2)");
  });

  test("is not caught by references in a ring, to itself, or by one ID twice", () => {
    assert.equal(threads({ id: "a", references: ["b"] }, { id: "b", references: ["a"] }), "(2 1)");
    assert.equal(threads({ id: "a", references: ["a"] }), "(1)");
    assert.equal(threads({ id: "a", references: ["b", "a", "b"] }), "(1)");
    assert.equal(threads({ id: "a" }, { id: "a" }, { references: ["a"] }), "(1 3)(2)");
  });

  test("sorts by the date of sending", () => {
    assert.equal(
      threads(
        { id: "a", sentMs: 9 },
        { references: ["a"], sentMs: 8 },
        { references: ["a"], sentMs: 7 },
        { sentMs: 1 },
      ),
      "(4)(1 (3)(2))",
    );
  });
});

test("THREAD=ORDEREDSUBJECT has one level of answers, REFS no care for subjects", () => {
  const messages = messagesOf([
    { id: "a", subject: "X", sentMs: 5 },
    { subject: "Y", sentMs: 6 },
    { subject: "X", isReply: true, sentMs: 7 },
    { subject: "X", isReply: true, references: ["a"], sentMs: 8 },
  ]);
  assert.equal(threadsText(threadsBySubject(messages)), "(1 (3)(4))(2)");
  assert.equal(threadsText(threadsByLinks(messages)), "(2)(3)(1 4)");
});

test("every message is in one thread, once, however they refer to each other", () => {
  const ids = fc.constantFrom("a", "b", "c", "d", "e", "f", "g");
  const message = fc.record({
    id: fc.option(ids, { nil: undefined }),
    references: fc.array(ids, { maxLength: 5 }),
    subject: fc.constantFrom("", "X", "Y"),
    isReply: fc.boolean(),
    sentMs: fc.integer({ min: 0, max: 5 }),
  });
  fc.assert(
    fc.property(fc.array(message, { maxLength: 12 }), (list) => {
      const messages = messagesOf(list.map(({ id, ...rest }) => (id === undefined ? rest : { id, ...rest })));
      for (const threading of [threadsByReferences, threadsByLinks, threadsBySubject]) {
        const told = [...threadsText(threading(messages)).matchAll(/\d+/g)].map(Number).sort((a, b) => a - b);
        assert.deepEqual(
          told,
          messages.map(({ number }) => number),
        );
      }
    }),
    { numRuns: 1000 },
  );
});

test("threads as deep and as wide as ten thousand messages end", () => {
  const count = 10_000;
  const chain = Array.from({ length: count }, (_, index) => ({
    id: `${index}`,
    references: index === 0 ? [] : [`${index - 1}`],
  }));
  const text = threadsText(threadsByReferences(messagesOf(chain)));
  assert.equal(text, `(${chain.map((_, index) => index + 1).join(" ")})`);
  const ladder = chain.flatMap((message) => [message, { references: [message.id] }]).slice(0, count);
  for (const list of [
    ladder,
    ladder.toReversed(),
    chain.toReversed(),
    Array.from({ length: count }, () => ({ references: ["gone"] })),
  ]) {
    for (const threading of [threadsByReferences, threadsByLinks]) {
      assert.equal([...threadsText(threading(messagesOf(list))).matchAll(/\d+/g)].length, count);
    }
  }
});

test("SORT and THREAD as a client sees them", async () => {
  const mail = memoryMail();
  const texts = [
    "Message-ID: <1@x>\r\nFrom: Zoe <a@x>\r\nSubject: b\r\nDate: 3 Jan 2020 00:00:00 +0000\r\n\r\n",
    "Message-ID: <2@x>\r\nReferences: <1@x>\r\nFrom: anne <b@x>\r\nSubject: Re: b\r\nDate: 2 Jan 2020 00:00:00 +0000\r\n\r\nlong",
    "Message-ID: <3@x>\r\nFrom: c@x\r\nSubject: A\r\n\r\nlonger",
  ];
  for (const [index, text] of texts.entries()) {
    mail.add("INBOX", { content: Buffer.from(text), receivedMs: Date.UTC(2020, 0, 1, 3 - index) });
  }
  await using talk = await Talk.open({ mail });
  await talk.answerTo("a SELECT INBOX");
  await talk.says("b SORT (SUBJECT) UTF-8 ALL", "* SORT 3 1 2", "b OK …");
  await talk.says("c SORT (SUBJECT REVERSE DATE) UTF-8 ALL", "* SORT 3 1 2", "c OK …");
  await talk.says("d SORT (DATE) UTF-8 ALL", "* SORT 3 2 1", "d OK …");
  await talk.says("e UID SORT (REVERSE ARRIVAL) US-ASCII 2:3", "* SORT 2 3", "e OK …");
  await talk.says("f SORT (FROM) UTF-8 ALL", "* SORT 1 2 3", "f OK …");
  await talk.says("g SORT (DISPLAYFROM) UTF-8 ALL", "* SORT 2 3 1", "g OK …");
  await talk.says("h SORT RETURN (MIN COUNT SAVE) (SIZE) UTF-8 ALL", '* ESEARCH (TAG "h") MIN 3 COUNT 3', "h OK …");
  await talk.says("i SORT (DATE) UTF-8 ANSWERED", "* SORT", "i OK …");
  await talk.says("j THREAD REFERENCES UTF-8 ALL", "* THREAD (3)(1 2)", "j OK …");
  await talk.says("k UID THREAD ORDEREDSUBJECT UTF-8 1:2", "* THREAD (2 1)", "k OK …");
  await talk.says("l THREAD REFS UTF-8 ANSWERED", "* THREAD", "l OK …");
  await talk.says("m SORT () UTF-8 ALL", "m BAD …");
  await talk.says("n SORT (REVERSE) UTF-8 ALL", "n BAD …");
  await talk.says("o SORT (SIZE) ALL", "o …");
  await talk.says("p THREAD NOSUCH UTF-8 ALL", "p BAD …");
  await talk.says("q SORT (SIZE) x-none ALL", "q NO [BADCHARSET …");
});
