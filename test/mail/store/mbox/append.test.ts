import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { appendToMbox } from "../../../../src/mail/store/mbox/index.ts";
import { formatFromLine, parseFromLine } from "../../../../src/mail/store/mbox/from-line.ts";
import { bytesOfFile } from "../../../../src/mail/store/mbox/file-io.ts";
import { MboxScanner } from "../../../../src/mail/store/mbox/scan.ts";
import { temporaryFolder } from "../../../temp.ts";

const nowMs = (): number => Date.now();
const receivedMs = new Date(2026, 10, 30, 9, 5, 7).getTime();

async function deliver(path: string, content: string, from = "a@example.org"): Promise<void> {
  await using target = appendToMbox(path, { nowMs });
  await target.deliver({ content: Buffer.from(content), from, recipient: "joe@example.org", receivedMs });
}

function contents(path: string): readonly string[] {
  const fd = fs.openSync(path, "r");
  try {
    const scanner = new MboxScanner(bytesOfFile(fd), path);
    return [...scanner.messages()].map((message) => Buffer.from(scanner.content(message)).toString());
  } finally {
    fs.closeSync(fd);
  }
}

test("a delivery is what procmail would write", async () => {
  await using folder = temporaryFolder();
  const path = folder.join("joe");
  await deliver(
    path,
    "Subject: one\r\nStatus: RO\r\nX-UID: 7\r\n more\r\nTo: joe\r\n\r\nFrom here\r\n>From there\r\nend",
  );
  await deliver(path, "Subject: two\n\n", "");
  assert.equal(
    fs.readFileSync(path, "utf8"),
    "From a@example.org  Mon Nov 30 09:05:07 2026\nSubject: one\nTo: joe\n\n>From here\n>From there\nend\n\n" +
      "From MAILER-DAEMON  Mon Nov 30 09:05:07 2026\nSubject: two\n\n\n",
  );
  assert.equal(fs.statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(fs.readdirSync(folder.path), ["joe"], "no lock and no journal is left");
});

test("a message begins a line of its own after one that does not end in one", async () => {
  await using folder = temporaryFolder();
  const path = folder.join("joe");
  fs.writeFileSync(path, "From b@example.org Mon Nov 30 09:05:07 2026\nSubject: cut\n\nno end");
  await deliver(path, "Subject: one\n\nbody\n");
  assert.deepEqual(contents(path), ["Subject: cut\r\n\r\nno end", "Subject: one\r\n\r\nbody\r\n"]);
});

test("From_ lines of every program are told from text", () => {
  const at = (line: string): string | undefined => {
    const parsed = parseFromLine(line);
    return parsed === undefined ? undefined : `${parsed.sender} ${new Date(parsed.receivedMs).toISOString()}`;
  };
  assert.equal(at("From a@b.c Mon Nov 30 10:00:00 +0100 2026"), "a@b.c 2026-11-30T09:00:00.000Z");
  assert.equal(at("From a@b.c  Mon Nov 30 10:00:00 2026 -0200"), "a@b.c 2026-11-30T12:00:00.000Z");
  assert.equal(at("From - Mon, Nov  3 10:00 GMT 2026"), "- 2026-11-03T10:00:00.000Z");
  assert.equal(at('From "a b"@c Mon Nov 30 10:00:00 UTC 2026 remote from x'), '"a b"@c 2026-11-30T10:00:00.000Z');
  assert.equal(parseFromLine("From joe  Mon Nov 30 09:05:07 2026")?.receivedMs, receivedMs);
  for (const text of [
    "From here on",
    "From joe Mon Nov 31st 2026",
    "From a Mon Nov 30 25:00:00 2026",
    "from a@b.c Mon Nov 30 10:00:00 2026",
  ]) {
    assert.equal(at(text), undefined, text);
  }
  assert.equal(parseFromLine(`From ${"a".repeat(2000)} Mon Nov 30 10:00:00 2026`), undefined);
});

test("whatever the sender, its From_ line is one line, and one", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.integer({ min: 0, max: 4e12 }), (sender, ms) => {
      const line = formatFromLine({ sender, receivedMs: ms });
      assert.equal(line.indexOf("\n"), line.length - 1);
      assert.equal(parseFromLine(line.trimEnd())?.receivedMs, Math.floor(ms / 1000) * 1000);
    }),
  );
});

test("what is delivered is read back, from mailboxes of any messages", async () => {
  const word = fc.constantFrom(
    "From ",
    "From a@b.c Mon Nov 30 10:00:00 2026",
    ">From ",
    "\n",
    "\r\n",
    "x",
    " ",
    "\n\n",
    ":",
  );
  const text = fc.array(word, { maxLength: 12 }).map((words) => words.join(""));
  await fc.assert(
    fc.asyncProperty(fc.array(text, { maxLength: 6 }), async (bodies) => {
      await using folder = temporaryFolder();
      const path = folder.join("joe");
      for (const body of bodies) await deliver(path, `Subject: s\n\n${body}`);
      if (bodies.length === 0) return;
      const expected = bodies.map((body) => {
        const quoted = `\n${body.replaceAll("\r\n", "\n")}`.replaceAll("\nFrom ", "\n>From ").slice(1);
        return `Subject: s\n\n${quoted}${quoted === "" || quoted.endsWith("\n") ? "" : "\n"}`.replaceAll("\n", "\r\n");
      });
      assert.deepEqual(contents(path), expected);
    }),
    { numRuns: 12 },
  );
});
