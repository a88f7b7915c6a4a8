import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { test } from "node:test";
import { promisify } from "node:util";
import { appendToMbox } from "../../src/mail/store/mbox/index.ts";
import { temporaryFolder } from "../temp.ts";
import { peerPath, runPeer, skipWithout } from "./peer.ts";

const nowMs = (): number => Date.now();
const run = promisify(execFile);

function contentOf(subject: string): Buffer {
  return Buffer.from(`From: a@example.org\r\nSubject: ${subject}\r\n\r\nFrom here on\r\n${"text ".repeat(400)}\r\n`);
}

async function deliver(mailbox: string, subject: string): Promise<void> {
  await using target = appendToMbox(mailbox, { nowMs });
  await target.deliver({ content: contentOf(subject), from: "a@example.org", recipient: "joe", receivedMs: nowMs() });
}

/** Subjects, as another program finds them. */
function subjectsByFormail(mailbox: string): readonly string[] {
  const input = fs.readFileSync(mailbox);
  return execFileSync(peerPath("formail")!, ["-s", peerPath("formail")!, "-x", "Subject:"], { input })
    .toString()
    .trim()
    .split("\n")
    .map((line) => line.trim());
}

test(
  "procmail delivers at the same time: every message is there, whole",
  { skip: skipWithout("procmail", "formail") },
  async () => {
    await using folder = temporaryFolder();
    const mailbox = folder.join("joe");
    const rules = folder.join("procmailrc");
    fs.writeFileSync(rules, `PATH=/usr/bin:/bin\nDEFAULT=${mailbox}\nLOCKSLEEP=1\n:0:\n${mailbox}\n`, { mode: 0o600 });
    const numbers = Array.from({ length: 20 }, (_, number) => number);
    const byProcmail = numbers.map(async (number) => {
      const child = run(peerPath("procmail")!, ["-f", "b@example.org", "-m", rules], { cwd: folder.path });
      child.child.stdin?.end(contentOf(`theirs ${number}`).toString().replaceAll("\r\n", "\n"));
      await child;
    });
    await Promise.all([...byProcmail, ...numbers.map((number) => deliver(mailbox, `ours ${number}`))]);
    const expected = numbers.flatMap((number) => [`ours ${number}`, `theirs ${number}`]);
    assert.deepEqual(subjectsByFormail(mailbox).toSorted(), expected.toSorted());
    assert.equal(fs.readFileSync(mailbox, "utf8").split(">From here on\n").length, 41);
  },
);

test(
  "a delivery waits for the dotlock of another program, and takes away one that was left",
  { skip: skipWithout("lockfile", "formail") },
  async () => {
    await using folder = temporaryFolder();
    const mailbox = folder.join("joe");
    await deliver(mailbox, "one");
    runPeer("lockfile", [`${mailbox}.lock`]);
    const { size } = fs.statSync(mailbox);
    const second = deliver(mailbox, "two");
    await assert.rejects(
      appendToMbox(mailbox, { nowMs, lockTimeoutMs: 100 }).deliver({
        content: contentOf("never"),
        from: "a@example.org",
        recipient: "joe",
        receivedMs: nowMs(),
      }),
      /^Failure: cannot use ".*joe": another program has it locked$/,
    );
    assert.equal(fs.statSync(mailbox).size, size);
    fs.rmSync(`${mailbox}.lock`, { force: true });
    await second;
    const dead = runPeer("sh", ["-c", "echo $$"]);
    fs.writeFileSync(`${mailbox}.lock`, dead); // as liblockfile writes its process
    await deliver(mailbox, "three");
    runPeer("lockfile", [`${mailbox}.lock`]);
    const old = new Date(nowMs() - 6 * 60_000);
    fs.utimesSync(`${mailbox}.lock`, old, old);
    fs.utimesSync(mailbox, old, old);
    await deliver(mailbox, "four");
    assert.deepEqual(subjectsByFormail(mailbox), ["one", "two", "three", "four"]);
  },
);
