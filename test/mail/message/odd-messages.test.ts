import assert from "node:assert/strict";
import * as fs from "node:fs";
import { suite, test } from "node:test";
import { bodyStructureText, envelopeText } from "../../../src/mail/imap/fetch-text/index.ts";
import { parseMessage } from "../../../src/mail/message/index.ts";
import { oddMessages } from "../message-corpus.ts";

/** What is expected of each odd message; `HOLDFAST_WRITE_GOLDEN=1` writes it anew, to be read before it is believed. */
const golden = new URL("odd-messages.txt", import.meta.url);

function described(name: string, message: string): string {
  const { envelope, root, preview, baseSubject } = parseMessage(Buffer.from(message, "latin1"));
  return [
    `== ${name}`,
    envelopeText(envelope, { utf8: true }),
    bodyStructureText(root, { utf8: true, extended: true }),
    `subject: ${JSON.stringify(baseSubject)} preview: ${JSON.stringify(preview)}`,
    "",
  ].join("\n");
}

if (process.env["HOLDFAST_WRITE_GOLDEN"] === "1") {
  const all = Object.entries(oddMessages).map(([name, message]) => described(name, message));
  fs.writeFileSync(golden, all.join(""));
}

suite("an odd message", () => {
  const expected = new Map(
    fs
      .readFileSync(golden, "utf8")
      .split(/^(?=== )/m)
      .map((text) => [text.slice(3, text.indexOf("\n")), text] as const),
  );
  for (const [name, message] of Object.entries(oddMessages)) {
    test(name, () => assert.equal(described(name, message), expected.get(name)));
  }
});
