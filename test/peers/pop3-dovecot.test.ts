/** POP3 beside Dovecot's: the same Maildir, the same numbers, sizes, unique ids and bytes. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { duplexPair } from "node:stream";
import { test } from "node:test";
import { servePop3 } from "../../src/mail/pop3/index.ts";
import { openMaildir } from "../../src/mail/store/maildir/index.ts";
import { skipDovecot, startDovecot } from "./dovecot.ts";
import type { Duplex } from "node:stream";

const messages = [
  "Subject: one\r\n\r\nHello\r\n.\r\n..dots\r\n",
  "Subject: no end\r\n\r\nlast line",
  "Subject: only a header\r\n",
  "Subject: empty body\r\n\r\n",
  `Subject: long\r\n\r\n${"x".repeat(998)}\r\n${"line\r\n".repeat(5000)}`,
  "From: a@example.org\r\nSubject: =?utf-8?q?=C3=A9?=\r\n\r\n\xff\xfe bytes\r\n",
];
const words = ["STAT", "LIST", "LIST 2", "UIDL", "UIDL 3", "RETR 1", "RETR 2", "RETR 3", "RETR 4", "RETR 5", "RETR 6"];
const more = ["TOP 1 0", "TOP 1 1", "TOP 1 99", "TOP 3 1", "TOP 5 3", "RETR 7", "DELE 9", "TOP 1", "LIST x"];

/** Everything that is said, without the free text of answers. */
async function session(socket: Duplex): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on("data", (bytes: Buffer) => chunks.push(bytes));
  socket.write(["USER joe", "PASS secret", ...words, ...more, "QUIT", ""].join("\r\n"));
  await new Promise((resolve) => void socket.once("end", resolve));
  const text = Buffer.concat(chunks).toString("latin1");
  const answers = text.slice(text.search(/^\+OK \d+ \d+\r$/m)).replace(/^(\+OK(?! \d)|-ERR).*\r$/gm, "$1\r");
  return answers.replace(/^\+OK \d+ messages:\r$/gm, "+OK\r").replace(/^(\+OK \d+) octets\r$/gm, "$1\r");
}

test(
  "Dovecot and this program say the same of one Maildir, the one after the other",
  { skip: skipDovecot() },
  async () => {
    await using dovecot = await startDovecot({ protocols: ["pop3", "imap"] });
    const imap = await dovecot.logIn();
    for (const [n, text] of messages.entries()) {
      if (n === 3) await imap.ok("CREATE Other"); // no gap, but another state of the index
      await imap.ok(`APPEND INBOX {${Buffer.byteLength(text, "latin1")}+}\r\n${text}`);
    }
    const theirs = await session(connect(dovecot.pop3Port, "127.0.0.1"));
    await dovecot.stop();
    const store = openMaildir(`${dovecot.home()}/Maildir`, { now: Date.now });
    const [client, socket] = duplexPair();
    const ended = servePop3({ hostName: "localhost" })({
      socket,
      holder: { mailbox: "joe@example.org", serial: "01", fingerprint: "00" },
      remoteAddress: "127.0.0.1",
      signal: new AbortController().signal,
      allowsExternal: false,
      logIn: async () => ({ user: "joe@example.org", store }),
    });
    const said = session(client);
    await ended;
    socket.end();
    assert.equal(await said, theirs);
    assert.match(theirs, /^1 00000001[\da-f]{8}\r$/m);
    await store[Symbol.asyncDispose]();
  },
);
