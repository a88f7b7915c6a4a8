import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { parseMessage, readSection, sectionOf, type Section } from "../../../src/mail/message/index.ts";

function wire(...lines: readonly string[]): Buffer {
  return Buffer.from(lines.join("\r\n"), "utf8");
}

const nested = wire(
  "From: Joe <joe@example.org>",
  "Subject: outer",
  "Content-Type: multipart/mixed; boundary=out",
  "",
  "nobody reads this",
  "--out",
  "Content-Type: text/plain; charset=utf-8",
  "",
  "one",
  "two",
  "--out",
  "Content-Type: message/rfc822",
  "",
  "Subject: inner",
  "Content-Type: multipart/alternative; boundary=in",
  "",
  "--in",
  "",
  "plain",
  "--in",
  "Content-Type: text/html",
  "",
  "<b>bold</b>",
  "--in--",
  "",
  "--out--",
  "nor this",
);

suite("the parts of a message", () => {
  const content = (section: Section): string | undefined => {
    const bytes = sectionOf(parseMessage(nested).root, section);
    if (bytes === undefined) return undefined;
    return Buffer.from(readSection((from, to) => nested.subarray(from, to), bytes)).toString();
  };

  test("are found by their numbers", () => {
    assert.equal(content({ part: [1] }), "one\r\ntwo");
    assert.equal(content({ part: [1], text: "mime" }), "Content-Type: text/plain; charset=utf-8\r\n\r\n");
    assert.equal(content({ part: [2, 1] }), "plain");
    assert.equal(content({ part: [2, 2] }), "<b>bold</b>");
    assert.equal(content({ part: [2, 2], text: "mime" }), "Content-Type: text/html\r\n\r\n");
    assert.equal(
      content({ part: [2], text: "header" }),
      "Subject: inner\r\nContent-Type: multipart/alternative; boundary=in\r\n\r\n",
    );
    assert.equal(content({ part: [2], text: "fields", fields: ["SUBJECT"] }), "Subject: inner\r\n\r\n");
    assert.equal(content({ part: [], text: "fields-not", fields: ["content-type", "From"] }), "Subject: outer\r\n\r\n");
    assert.equal(content({ part: [] }), nested.toString());
    assert.equal(content({ part: [], text: "text" }), nested.toString().split("\r\n\r\n").slice(1).join("\r\n\r\n"));
  });

  test("that are not there are not given", () => {
    for (const part of [[3], [0], [1, 1], [2, 3], [2, 1, 1]]) assert.equal(content({ part }), undefined);
    assert.equal(content({ part: [1], text: "header" }), undefined);
  });
});
