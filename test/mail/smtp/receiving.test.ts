import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { Failure } from "../../../src/base/index.ts";
import { MemoryMail } from "../memory-store.ts";
import { sampleReceiver } from "./sample-receiver.ts";
import type { SmtpTalk } from "./smtp-talk.ts";

async function greet(talk: SmtpTalk, word = "EHLO"): Promise<string> {
  await talk.reply();
  return talk.say(`${word} client.example`);
}

async function send(talk: SmtpTalk, recipients: readonly string[], text: string): Promise<string> {
  await talk.say("MAIL FROM:<a@sender.example>");
  for (const recipient of recipients) await talk.say(`RCPT TO:<${recipient}>`);
  await talk.say("DATA");
  return talk.say(`${text}\r\n.`);
}

test("a message goes into the mailbox, and says whence it came", async () => {
  await using receiver = await sampleReceiver("smtp");
  await using talk = await receiver.connect();
  const features = await greet(talk);
  for (const word of ["PIPELINING", "8BITMIME", "SMTPUTF8", "SIZE 52428800"]) assert.ok(features.includes(word), word);
  assert.doesNotMatch(features, /AUTH|STARTTLS|CHUNKING/);
  const text = "Return-Path: <forged@x>\r\nSubject: one\r\n\tfolded\r\n\r\n..dot\r\nend";
  assert.match(await send(talk, ["Joe+news@example.org"], text), /^250 .*Delivered/);
  const [found = ""] = receiver.inbox("joe@example.org");
  const lines = [
    /^Return-Path: <a@sender.example>\r\n/,
    /^Delivered-To: joe@example.org\r\n/,
    /^Received: from client.example \(\[127.0.0.1\]\)\r\n\tby mail.example.org with ESMTP id \w+\r\n\tfor <Joe\+news@example.org>; \w{3}, .* \+0000\r\n/,
    /^Subject: one\r\n\tfolded\r\n\r\n\.dot\r\nend\r\n$/,
  ];
  let rest = found;
  for (const line of lines) {
    assert.match(rest, line);
    rest = rest.replace(line, "");
  }
  assert.deepEqual(
    receiver.events.map(({ kind, recipient, from }) => [kind, recipient, from]),
    [["delivered", "Joe+news@example.org", "a@sender.example"]],
  );
});

test("it relays for nobody", async () => {
  await using receiver = await sampleReceiver("smtp");
  await using talk = await receiver.connect();
  await greet(talk);
  await talk.say("MAIL FROM:<joe@example.org>");
  for (const recipient of [
    "x@elsewhere.example",
    "x%elsewhere.example@example.org",
    "elsewhere.example!x@example.org",
  ]) {
    assert.match(await talk.say(`RCPT TO:<${recipient}>`), /^550 /, recipient);
  }
  for (const recipient of [
    '"x@elsewhere.example"@example.org',
    "@example.org:x@elsewhere.example",
    "x@elsewhere.example@example.org",
  ]) {
    assert.match(await talk.say(`RCPT TO:<${recipient}>`), /^55?0|^501/, recipient);
  }
  assert.match(await talk.say("RCPT TO:<nobody@example.org>"), /^550 5\.1\.1/);
  assert.match(await talk.say("DATA"), /^503/);
  assert.match(await talk.say("AUTH PLAIN AGpvZQBzZWNyZXQ="), /^50/);
  const answers: string[] = [];
  for (let tries = 0; tries < 10 && answers.at(-1) !== ""; tries++) {
    answers.push(await talk.say(`RCPT TO:<guess${tries}@example.org>`));
  }
  assert.ok(
    answers.some((answer) => answer.startsWith("421 ")),
    "who guesses names is sent away",
  );
});

test("what ends a message here ends it for everybody", async () => {
  const ends = ["\n.\n", "\r.\r", "\n.\r\n", "\r\n.\n", "\r\n\0.\r\n", "\r.\r\n", "\r\r\n.\r"];
  for (const end of ends) {
    await using receiver = await sampleReceiver("smtp");
    await using talk = await receiver.connect();
    await greet(talk);
    const smuggled = `MAIL FROM:<b@sender.example>\r\nRCPT TO:<patrick@example.org>\r\nDATA\r\nSubject: smuggled\r\n\r\nx`;
    assert.match(
      await send(talk, ["joe@example.org"], `Subject: one\r\n\r\nx${end}${smuggled}`),
      /^250/,
      JSON.stringify(end),
    );
    assert.equal(receiver.inbox("joe@example.org").length, 1);
    assert.deepEqual(receiver.inbox("patrick@example.org"), [], JSON.stringify(end));
  }
});

test("lists reach each of their members once", async () => {
  await using receiver = await sampleReceiver("smtp");
  fs.writeFileSync(
    receiver.folder.join("aliases"),
    "all: joe, patrick\npostmaster: joe\ncircle: circle2\ncircle2: circle\n",
  );
  await using talk = await receiver.connect();
  await greet(talk);
  assert.match(await send(talk, ["all@example.org", "joe@example.org", "postmaster"], "Subject: s\r\n\r\nx"), /^250/);
  assert.deepEqual(
    ["joe", "patrick", "ann"].map((name) => receiver.inbox(`${name}@example.org`).length),
    [1, 1, 0],
  );
  assert.doesNotMatch(receiver.inbox("joe@example.org")[0]!, /for </, "nobody is told who else it is for");
  await talk.say("MAIL FROM:<>");
  assert.match(await talk.say("RCPT TO:<circle@example.org>"), /^451/);
  fs.writeFileSync(receiver.folder.join("aliases"), "all: |/bin/sh\n");
  assert.match(await talk.say("RCPT TO:<all@example.org>"), /^451/, "a broken file refuses nothing for good");
});

test("a message that has been here goes no further", async () => {
  await using receiver = await sampleReceiver("smtp");
  await using talk = await receiver.connect();
  await greet(talk);
  assert.match(
    await send(talk, ["joe@example.org"], "Delivered-To: Joe@example.org\r\nSubject: s\r\n\r\nx"),
    /^554 5\.4\.6/,
  );
  const received = "Received: from a by b; Mon, 30 Nov 2026 10:00:00 +0000\r\n";
  assert.match(await send(talk, ["joe@example.org"], `${received.repeat(101)}\r\nx`), /^554 5\.4\.6/);
  assert.match(await send(talk, ["joe@example.org"], `${received.repeat(100)}\r\nx`), /^250/);
});

test("messages, recipients and connections are limited", async () => {
  const limits = { messageBytes: 1000, recipients: 2, connectionsPerAddress: 2, messagesPerAddress: 4 };
  await using receiver = await sampleReceiver("smtp", { limits });
  await using talk = await receiver.connect();
  assert.match(await greet(talk), /SIZE 1000/);
  assert.match(await talk.say("MAIL FROM:<a@b.example> SIZE=1001"), /^552/);
  const text = (bytes: number): string => `Subject: s\r\n\r\n${"x".repeat(bytes - 16)}`;
  assert.match(await send(talk, ["joe@example.org"], text(1000)), /^250/);
  assert.match(await send(talk, ["joe@example.org"], text(1001)), /^552/);
  assert.match(await send(talk, ["joe@example.org"], text(3_000_000)), /^552/);
  assert.equal(receiver.inbox("joe@example.org").length, 1);
  await talk.say("MAIL FROM:<a@b.example>");
  for (const name of ["joe", "patrick"]) assert.match(await talk.say(`RCPT TO:<${name}@example.org>`), /^250/);
  assert.match(await talk.say("RCPT TO:<ann@example.org>"), /^452/);
  await talk.say("RSET");
  assert.match(await send(talk, ["joe@example.org"], text(100)), /^250/);
  assert.match(await send(talk, ["joe@example.org"], text(100)), /^450 4\.7\.1/);
  await using second = await receiver.connect();
  assert.match(await second.reply(), /^220/);
  await using third = await receiver.connect();
  assert.match(await third.reply(), /^421/);
});

test("all that is being received at once has a limit too", async () => {
  await using receiver = await sampleReceiver("smtp", { limits: { memoryBytes: 100_000 } });
  await using talk = await receiver.connect();
  await greet(talk);
  assert.match(await send(talk, ["joe@example.org"], "x".repeat(200_000)), /^452 4\.3\.1/);
  assert.match(await send(talk, ["joe@example.org"], "Subject: s\r\n\r\nx"), /^250/);
});

function failingStore(error: () => Error): () => Promise<ReturnType<MemoryMail["store"]>> {
  const append = async (): Promise<never> => {
    throw error();
  };
  return async () => ({ ...new MemoryMail().store(), append });
}

const full = new Failure("no-space", "cannot change it: no space left", {
  cause: Object.assign(new Error("no space"), { code: "ENOSPC" }),
});

test("LMTP answers for each recipient by itself", async () => {
  const stores = {
    "patrick@example.org": failingStore(() => full),
    "ann@example.org": failingStore(() => new Failure("no-space", "cannot add messages: the quota is used up")),
  };
  await using receiver = await sampleReceiver("lmtp", { stores });
  await using talk = await receiver.connect();
  assert.match(await greet(talk, "LHLO"), /^250/);
  const recipients = ["joe", "patrick", "ann", "joe+x"].map((name) => `${name}@example.org`);
  assert.match(
    await send(talk, recipients, "Authentication-Results: mail.example.org; spf=pass\r\nSubject: s\r\n\r\nx"),
    /^250 /,
  );
  assert.match(await talk.reply(), /^452 4\.3\.1/);
  assert.match(await talk.reply(), /^552 5\.2\.2/);
  assert.match(await talk.reply(), /^250 /);
  assert.equal(receiver.inbox("joe@example.org").length, 1);
  assert.match(receiver.inbox("joe@example.org")[0]!, /spf=pass/, "the mail server before this one has said it");
  assert.equal(fs.statSync(receiver.folder.join("lmtp")).mode & 0o777, 0o666);
});

test("who has a message does not get it again when it is tried again for others", async () => {
  let isFull = true;
  const patrick = new MemoryMail();
  const stores = {
    "patrick@example.org": async () => (isFull ? failingStore(() => full)() : patrick.store()),
  };
  await using receiver = await sampleReceiver("smtp", { stores });
  await using talk = await receiver.connect();
  await greet(talk);
  const recipients = ["joe@example.org", "patrick@example.org"];
  assert.match(await send(talk, recipients, "Subject: s\r\n\r\nx"), /^452 4\.3\.1/);
  isFull = false;
  assert.match(await send(talk, recipients, "Subject: s\r\n\r\nx"), /^250/);
  assert.equal(receiver.inbox("joe@example.org").length, 1);
  assert.equal(patrick.store().status("INBOX").messages, 1);
});

test("a socket that was left is taken over, one that is in use is not", async () => {
  await using receiver = await sampleReceiver("lmtp");
  const { serveLmtp } = await import("../../../src/mail/smtp/index.ts");
  const options = {
    hostName: "mail.example.org",
    domains: [],
    aliases: "/nowhere",
    hasMailbox: () => false,
    openStore: () => Promise.reject(new Error("none")),
    nowMs: Date.now,
  };
  await assert.rejects(serveLmtp({ ...options, path: receiver.folder.join("lmtp") }), /another program does$/);
});

test("peers that send anything but mail harm nobody else", async () => {
  await using receiver = await sampleReceiver("smtp");
  const noise = [
    "x".repeat(2_000_000),
    "\0\xff\r\n".repeat(1000),
    `EHLO ${"a".repeat(10_000)}\r\n`,
    `EHLO x\r\nMAIL FROM:<${"a".repeat(10_000)}@b>\r\n`,
    `EHLO x\r\nMAIL FROM:<a@b.example>\r\n${"RCPT TO:<joe@example.org>\r\n".repeat(500)}DATA\r\nSubject: cut off`,
    "EHLO x\r\nMAIL FROM:<a@b.example> SIZE=99999999999999999999\r\nRCPT TO:<joe@example.org\r\nDATA\r\n.\r\n",
    "STARTTLS\r\nQUIT\r\nEHLO\r\n",
  ];
  for (const bytes of noise) {
    await using talk = await receiver.connect();
    talk.send(Buffer.from(bytes, "latin1"));
    await talk.reply();
  }
  assert.deepEqual(receiver.inbox("joe@example.org"), [], "what was cut off is not there");
  await using talk = await receiver.connect();
  await greet(talk);
  assert.match(await send(talk, ["joe@example.org"], "Subject: s\r\n\r\nx"), /^250/);
});
