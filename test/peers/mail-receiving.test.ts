import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import * as fs from "node:fs";
import { test } from "node:test";
import { promisify } from "node:util";
import { openMaildir } from "../../src/mail/store/maildir/index.ts";
import { MailMachine } from "../mail/guard/mail-machine.ts";
import { peerPath, skipWithout } from "./peer.ts";
import { freePort } from "./server.ts";

async function inboxOf(machine: MailMachine, user: string): Promise<readonly string[]> {
  await using store = openMaildir(machine.folder.join("home", user, "Maildir"), { now: Date.now });
  using inbox = store.open("INBOX", { isReadOnly: true });
  return inbox.messages.map(({ uid }) => {
    using content = inbox.content(uid);
    return Buffer.from(content.read()).toString();
  });
}

const run = promisify(execFile);

/** Sends one message after the other: Python's client reads only one answer of several. */
const lmtpClient = String.raw`
import smtplib, sys
with smtplib.LMTP(sys.argv[1]) as lmtp:
    for recipient in sys.argv[2:]:
        try:
            lmtp.sendmail("b@sender.example", recipient, b"Subject: by LMTP\r\n\r\n.dot\r\nend\r\n")
            print(recipient, "sent")
        except smtplib.SMTPRecipientsRefused as refused:
            print(recipient, refused.recipients[recipient][0])
`;

test(
  "mail comes in by SMTP with STARTTLS, and by LMTP from a server of this machine",
  { skip: skipWithout("swaks", "python3") },
  async () => {
    await using machine = await MailMachine.make();
    const port = await freePort();
    machine.settings(
      `[receiving]\nsmtp = true\nsmtp_port = ${port}\nlmtp = "lmtp"\ncheck_senders = false\nmessage_size = "100KiB"\n`,
    );
    fs.writeFileSync(machine.folder.join("aliases"), "postmaster: joe\nall: joe, anna\n");
    await machine.start();
    const swaks = (...words: readonly string[]): Promise<unknown> => {
      const common = ["--server", `127.0.0.1:${port}`, "--helo", "client.example", "--from", "a@sender.example"];
      return run(peerPath("swaks")!, [...common, ...words]);
    };
    const tls = ["--tls", "--tls-verify", "--tls-ca-path", machine.ca];
    await swaks(...tls, "--to", "joe+x@example.org,postmaster@example.org", "--header", "Subject: by SMTP");
    const [first = "", ...others] = await inboxOf(machine, "joe");
    assert.deepEqual(others, []);
    assert.match(first, /^Return-Path: <a@sender.example>\r\nDelivered-To: joe@example.org\r\n/);
    assert.match(first, /with ESMTPS id /);
    for (const recipient of ["x@elsewhere.example", "nobody@example.org", "joe%elsewhere.example@example.org"]) {
      await assert.rejects(swaks("--to", recipient), (error) => /550 5\.[17]\.1/.test(saidBy(error)), recipient);
    }
    await assert.rejects(swaks("--to", "joe@example.org", "--body", "x".repeat(110_000)), (error) =>
      saidBy(error).includes(" 552 "),
    );
    const recipients = ["all@example.org", "nobody@example.org"];
    const { stdout } = await run("python3", ["-c", lmtpClient, machine.folder.join("lmtp"), ...recipients]);
    assert.equal(stdout, "all@example.org sent\nnobody@example.org 550\n");
    for (const [user, count] of [
      ["joe", 2],
      ["anna", 1],
    ] as const) {
      const messages = await inboxOf(machine, user);
      assert.equal(messages.length, count);
      assert.match(messages.at(-1) ?? "", /Subject: by LMTP\r\n\r\n.dot\r\nend\r\n$/);
    }
    const lines = machine.auditLines().filter((line) => /event=(delivered|refused)/.test(line));
    assert.ok(
      lines.some((line) => /event=refused .*recipient=x@elsewhere.example.*why=relay/.test(line)),
      lines.join("\n"),
    );
    assert.ok(
      lines.some((line) => /event=delivered protocol=lmtp/.test(line)),
      lines.join("\n"),
    );
  },
);

function saidBy(error: unknown): string {
  return error instanceof Error && "stdout" in error ? String(error.stdout) : String(error);
}
