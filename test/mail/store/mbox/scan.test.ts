import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Failure } from "../../../../src/base/index.ts";
import { fromLineLimitBytes } from "../../../../src/mail/store/mbox/from-line.ts";
import { headerLimitBytes, MboxScanner } from "../../../../src/mail/store/mbox/scan.ts";

const line = "From a@example.org  Mon Nov 30 10:00:00 2026\n";

function scannerOf(text: string | Uint8Array): MboxScanner {
  const bytes = Buffer.from(text);
  const read = (at: number, into: Uint8Array): void => {
    assert.ok(at + into.length <= bytes.length, "nothing is read past the end");
    into.set(bytes.subarray(at, at + into.length));
  };
  return new MboxScanner({ sizeBytes: bytes.length, read }, "joe");
}

function contentsOf(text: string | Uint8Array): readonly string[] {
  const scanner = scannerOf(text);
  return Array.from(scanner.messages(), (message) => {
    const content = Buffer.from(scanner.content(message)).toString("latin1");
    assert.equal(scanner.sum(message).sizeBytes, content.length);
    return content;
  });
}

test("whatever is in a file, each byte belongs to one message, or the file is called damaged", () => {
  const word = fc.constantFrom(
    line,
    "From ",
    "\n",
    "\r\n",
    "Content-Length: 4\n",
    "X-UID: 7\n",
    " folded\n",
    "a",
    "\0",
    "é",
  );
  const text = fc.array(fc.oneof(word, fc.string()), { maxLength: 30 }).map((words) => words.join(""));
  fc.assert(
    fc.property(text, fc.boolean(), (rest, isBegun) => {
      const bytes = Buffer.from(isBegun ? line + rest : rest);
      const scanner = scannerOf(bytes);
      try {
        let end = 0;
        for (const message of scanner.messages()) {
          assert.match(bytes.toString("latin1", end, message.offset), /^[\r\n]*$/);
          assert.ok(message.offset < message.headerOffset && message.headerOffset <= message.bodyOffset);
          assert.ok(message.bodyOffset <= message.bodyEnd && message.bodyEnd <= message.endOffset);
          assert.equal(scanner.sum(message).sizeBytes, scanner.content(message).length);
          end = message.endOffset;
        }
        assert.match(bytes.toString("latin1", end), /^[\r\n]*$/);
      } catch (error) {
        assert.ok(error instanceof Failure && error.code === "damaged" && !isBegun, String(error));
      }
    }),
  );
});

test("a length that leads nowhere is not believed", () => {
  const second = `${line}Subject: two\n\nb\n\n`;
  for (const length of ["0", "3", "99999999999999", "-1", "x"]) {
    const [first, ...others] = contentsOf(`${line}Content-Length: ${length}\n\n1234567\n\n${second}`);
    assert.deepEqual([first, others], ["\r\n1234567\r\n", ["Subject: two\r\n\r\nb\r\n"]], length);
  }
  const nested = `${line}Content-Length: ${second.length}\n\n${second}\n${second}`;
  assert.deepEqual(contentsOf(nested), [`\r\n${second.replaceAll("\n", "\r\n")}`, "Subject: two\r\n\r\nb\r\n"]);
});

test("a From_ line and a header are as long as they may be, and no longer", () => {
  const date = "  Mon Nov 30 10:00:00 2026";
  const longest = `From ${"a".repeat(fromLineLimitBytes - date.length - 6)}${date}\n`;
  assert.equal(longest.length, fromLineLimitBytes);
  assert.equal(contentsOf(`${longest}\nx\n`).length, 1);
  assert.throws(() => contentsOf(longest.replace("a", "aa")), /no line "From sender date" at offset 0/);
  const field = (bytes: number): string => `A: ${"b".repeat(bytes - 4)}\n`;
  const scanned = (header: string): number => scannerOf(`${line}${header}\nbody\n`).first()?.bodyOffset ?? 0;
  assert.equal(scanned(field(headerLimitBytes - 1)), line.length + headerLimitBytes);
  assert.equal(scanned(field(headerLimitBytes + 10)), line.length + headerLimitBytes);
});
