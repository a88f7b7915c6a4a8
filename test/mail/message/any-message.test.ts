import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { bodyStructureText, envelopeText } from "../../../src/mail/imap/fetch-text/index.ts";
import {
  messageLimits,
  parseSummary,
  parseMessage,
  partOf,
  searchTextOf,
  type MessagePart,
} from "../../../src/mail/message/index.ts";

/** A part as it is to be written, and as it is to be found again. */
interface Made {
  readonly text: string;
  readonly body: string;
  readonly type: string;
  readonly parts: readonly Made[];
}

const word = fc.stringMatching(/^[a-z]{1,8}$/);
const line = fc.array(word, { maxLength: 8 }).map((words) => words.join(" "));
const body = fc.array(line, { maxLength: 6 }).map((lines) => lines.join("\r\n"));

function leaf(content: string): Made {
  return { text: `Content-Type: text/plain\r\n\r\n${content}`, body: content, type: "text/plain", parts: [] };
}

function multipart(number: number, { before, parts, after }: { before: string; parts: Made[]; after: string }): Made {
  const boundary = `=_${number}`;
  const inside = parts.map((part) => `\r\n--${boundary}\r\n${part.text}`).join("");
  const content = `${before}${inside}\r\n--${boundary}--\r\n${after}`;
  const header = `Content-Type: multipart/mixed; boundary="${boundary}"`;
  return { text: `${header}\r\n\r\n${content}`, body: content, type: "multipart/mixed", parts };
}

function message(part: Made): Made {
  return {
    text: `Content-Type: message/rfc822\r\n\r\n${part.text}`,
    body: part.text,
    type: "message/rfc822",
    parts: [part],
  };
}

const { part: anyPart } = fc.letrec<{ part: Made }>((tie) => ({
  part: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    body.map(leaf),
    fc
      .tuple(
        fc.integer({ min: 0, max: 1e9 }),
        fc.record({ before: body, parts: fc.array(tie("part"), { minLength: 1, maxLength: 3 }), after: body }),
      )
      .map(([number, made]) => multipart(number, made)),
    tie("part").map(message),
  ),
}));

function assertFound(bytes: Buffer, found: MessagePart, made: Made): void {
  assert.equal(`${found.type}/${found.subtype}`, made.type);
  assert.equal(bytes.toString("latin1", found.bodyOffset, found.bodyOffset + found.bodyBytes), made.body);
  if (found.type !== "multipart") assert.equal(found.lines, made.body.split("\n").length - 1);
  assert.equal(found.parts.length, made.parts.length);
  for (const [index, part] of made.parts.entries()) assertFound(bytes, found.parts[index]!, part);
}

suite("a message", () => {
  test("is taken apart into what it was made of", () => {
    fc.assert(
      fc.property(anyPart, (made) => {
        const bytes = Buffer.from(`Subject: any\r\n${made.text}`, "latin1");
        assertFound(bytes, parseMessage(bytes).root, made);
      }),
    );
  });

  test("gives the addresses that were written", () => {
    const address = fc.record({
      name: fc.string({
        minLength: 1,
        maxLength: 12,
        unit: fc.constantFrom("a", "b", " ", '"', "\\", "(", ")", ",", "<", ">", "@", "é"),
      }),
      local: fc.stringMatching(/^[a-z]{1,5}(\.[a-z]{1,5})?$/),
      host: fc.stringMatching(/^[a-z]{1,5}\.example$/),
    });
    fc.assert(
      fc.property(fc.array(address, { minLength: 1, maxLength: 5 }), (addresses) => {
        const written = addresses.map(({ name, local, host }) => {
          return `"${name.replaceAll(/["\\]/g, String.raw`\$&`)}" (x) <${local}@${host}>`;
        });
        const { envelope } = parseMessage(Buffer.from(`To: ${written.join(",\r\n ")}\r\n\r\n`));
        assert.deepEqual(
          envelope.to,
          addresses.map(({ name, local, host }) => ({ name, mailbox: local, host })),
        );
      }),
    );
  });

  test("of any bytes is read to its end, its parts within it and in order", () => {
    const pieces = [
      "\r\n",
      "\n",
      "--b",
      "--",
      "b",
      ":",
      "Content-Type: multipart/mixed; boundary=b\r\n",
      "\0",
      "é",
      " ",
    ];
    const more = [
      "Content-Type: message/rfc822\r\n\r\n",
      "To: ",
      "<a@",
      "(",
      '"',
      "\\",
      "=?utf-8?q?",
      "?=",
      ";",
      "*0=",
      "<",
    ];
    const bytes = fc.array(fc.oneof(fc.constantFrom(...pieces, ...more), fc.string()), { maxLength: 60 });
    fc.assert(
      fc.property(bytes, (texts) => {
        const content = Buffer.from(texts.join(""));
        const structure = parseMessage(content);
        assertWithin(structure.root, 0, content.length);
        const { root, preview, ...header } = structure;
        assert.deepEqual(parseSummary(content, true), header);
        assert.ok(preview.length <= 200 && preview.isWellFormed());
        searchTextOf(content, root);
        assert.deepEqual(JSON.parse(JSON.stringify(structure)), structure);
        for (const utf8 of [true, false]) {
          assertBalanced(envelopeText(structure.envelope, { utf8 }));
          assertBalanced(bodyStructureText(root, { utf8, extended: true }));
        }
      }),
      { numRuns: 1000 },
    );
  });
});

function assertWithin(part: MessagePart, from: number, to: number): void {
  assert.ok(from <= part.headerOffset && part.headerBytes >= 0 && part.bodyBytes >= 0);
  assert.ok(part.headerOffset + part.headerBytes <= part.bodyOffset);
  assert.ok(part.bodyOffset + part.bodyBytes <= to);
  let at = part.bodyOffset;
  for (const each of part.parts) {
    assertWithin(each, at, part.bodyOffset + part.bodyBytes);
    at = each.bodyOffset + each.bodyBytes;
  }
}

/** Reads what a client would: strings, literals by their length, parentheses that close. */
function assertBalanced(text: string): void {
  const bytes = Buffer.from(text);
  let depth = 0;
  for (let at = 0; at < bytes.length; at++) {
    const character = String.fromCharCode(bytes[at]!);
    if (character === "(") depth++;
    else if (character === ")") depth--;
    else if (character === "{") {
      const end = bytes.indexOf("}\r\n", at);
      at = end + 2 + Number(bytes.toString("latin1", at + 1, end));
    } else if (character === '"') {
      for (at++; bytes[at] !== 0x22; at++) {
        if (bytes[at] === 0x5c) at++;
        assert.ok(at < bytes.length && ![0x0d, 0x0a, 0].includes(bytes[at]!));
      }
    } else assert.match(character, /[A-Z0-9 ]/);
    assert.ok(depth > 0 || at === bytes.length - 1);
  }
  assert.equal(depth, 0);
}

suite("a hostile message", () => {
  const megabyte = 1024 * 1024;
  const readAll = (text: string): ReturnType<typeof parseMessage> => {
    const bytes = Buffer.from(text, "latin1");
    const structure = parseMessage(bytes);
    searchTextOf(bytes, structure.root);
    return structure;
  };
  const countOf = (part: MessagePart): number => part.parts.reduce((sum, each) => sum + countOf(each), 1);
  const depthOf = (part: MessagePart): number => {
    let depth = 0;
    for (let at: MessagePart | undefined = part; at !== undefined; at = at.parts[0]) depth++;
    return depth;
  };

  test("of multiparts within each other is opened to a limit", () => {
    const nest = (levels: number): string => {
      const headers = Array.from(
        { length: levels },
        (_, level) => `Content-Type: multipart/mixed; boundary=b${level}\r\n\r\n--b${level}\r\n`,
      );
      return `${headers.join("")}\r\ndeep`;
    };
    assert.equal(depthOf(readAll(nest(messageLimits.depth)).root), messageLimits.depth + 1);
    const { root } = readAll(nest(messageLimits.depth + 1));
    assert.equal(depthOf(root), messageLimits.depth + 1);
    assert.equal(
      partOf(
        root,
        Array.from({ length: messageLimits.depth }, () => 1),
      )?.type,
      "application",
    );
    readAll(nest(30_000));
  });

  test("of messages within each other is opened to a limit", () => {
    const { root } = readAll("Content-Type: message/rfc822\r\n\r\n".repeat(30_000));
    assert.equal(depthOf(root), messageLimits.depth + 1);
  });

  test("with a boundary on every line has parts to a limit, and loses no bytes", () => {
    const text = `Content-Type: multipart/mixed; boundary=b\r\n\r\n${"--b\r\n".repeat(megabyte)}`;
    const { root } = readAll(text);
    assert.equal(countOf(root), messageLimits.parts);
    assert.equal(root.bodyOffset + root.bodyBytes, text.length);
  });

  test("whose every line nearly is a boundary of a hundred multiparts is read once", () => {
    const name = (level: number): string => `${"a".repeat(60)}${level}`;
    const headers = Array.from(
      { length: 99 },
      (_, level) => `Content-Type: multipart/mixed; boundary=${name(level)}\r\n\r\n--${name(level)}\r\n`,
    );
    readAll(`${headers.join("")}\r\n${`--${"a".repeat(60)}x\r\n`.repeat(megabyte / 64)}`);
  });

  test("with megabytes in one field keeps a part of it", () => {
    const long = "x".repeat(4 * megabyte);
    assert.equal(readAll(`Subject: ${long}\r\n\r\n`).envelope.subject?.length, messageLimits.fieldBytes - 1);
    const addresses = readAll(`To: ${"a@b,".repeat(megabyte)}\r\n\r\n`).envelope.to;
    assert.equal(addresses.length, messageLimits.addresses);
    const several = readAll(`${`To: ${"a@b,".repeat(1000)}\r\n`.repeat(100)}\r\n`).envelope.to;
    assert.equal(several.length, messageLimits.addresses);
    assert.equal(
      readAll(`References: ${"<a@b> ".repeat(megabyte)}\r\n\r\n`).references.length,
      messageLimits.references,
    );
    const parameters = readAll(`Content-Type: text/plain${"; a=b".repeat(megabyte)}\r\n\r\n`).root.parameters;
    assert.equal(parameters.length, messageLimits.parameters + 1);
    for (const what of [
      "(",
      '"',
      "\\",
      "<",
      "@",
      ":",
      ",",
      ";",
      "=?",
      "=?a?q?",
      "[x]",
      "re:",
      "(fwd)",
      "a ",
      "a.",
      "=",
      "*0=",
    ]) {
      const hostile = what.repeat(megabyte / what.length);
      const fields = [
        "From",
        "Subject",
        "References",
        "Date",
        "Content-Type",
        "Content-Disposition",
        "Content-Language",
      ];
      readAll(`${fields.map((field) => `${field}: ${hostile}\r\n`).join("")}\r\n`);
    }
  });

  test("has its fields in the first megabytes", () => {
    const filler = `X: ${"x".repeat(60)}\r\n`;
    const before = filler.repeat(Math.floor(messageLimits.headerBytes / filler.length));
    assert.equal(readAll(`${before}Subject: found\r\n\r\nbody`).envelope.subject, "found");
    const late = readAll(`${before}${filler}Subject: too late\r\n\r\nbody`);
    assert.equal(late.envelope.subject, undefined);
    assert.equal(late.root.bodyBytes, 4);
  });

  test("with a hundred thousand fields, or fields without end, is read once", () => {
    readAll(`${"a:\r\n".repeat(megabyte / 4)}\r\n`);
    assert.equal(readAll(`${"To:a@b\r\n".repeat(megabyte / 8)}\r\n`).envelope.to.length, messageLimits.addresses);
    readAll(`${"Content-Type: text/plain\r\n".repeat(megabyte / 16)}\r\n`);
    readAll("x".repeat(8 * megabyte));
    readAll(`Subject: x${"\r\n x".repeat(megabyte)}`);
  });

  test("in HTML that never ends is read once", () => {
    for (const what of [
      "<",
      "<!--",
      "<style>",
      "<style",
      "</style ",
      "<a ",
      "&",
      "&#x",
      "<p>",
      "<head><style></head>",
    ]) {
      readAll(`Content-Type: text/html\r\n\r\n${what.repeat((2 * megabyte) / what.length)}`);
    }
  });
});
