import * as fs from "node:fs";
import * as path from "node:path";

export const mailboxMessages = 10_000;
/** A word that one message in a hundred has. */
export const rareWord = "heliotrope";

const syllables = ["ka", "to", "mi", "ren", "sol", "va", "lo", "ber", "ti", "nu", "sha", "dor", "pel", "qui", "zan"];

/** Numbers that look random and are the same each time. */
function numbersFrom(seed: number): () => number {
  let state = (seed * 2654435761 + 1) >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function wordFrom(random: () => number): string {
  const count = 1 + Math.floor(random() * 3);
  return Array.from({ length: count }, () => syllables[Math.floor(random() * syllables.length)]).join("");
}

/** A message of 2 to 20 KB with lines ending in CRLF, the n-th always the same; every fourth has an attachment. */
export function benchMessage(n: number): Buffer {
  const random = numbersFrom(n + 1);
  const text: string[] = [];
  const lines = 20 + Math.floor(random() * 120);
  for (let line = 0; line < lines; line++) {
    text.push(Array.from({ length: 12 }, () => wordFrom(random)).join(" "));
  }
  if (n % 100 === 42) text[lines >> 1] = `there was ${rareWord} here`;
  const [from, to, subject] = [wordFrom(random), wordFrom(random), `${wordFrom(random)} ${wordFrom(random)} ${n}`];
  const date = new Date(1_700_000_000_000 + n * 3_600_000).toUTCString().replace("GMT", "+0000");
  const head = [
    `Return-Path: <${from}@example.net>`,
    "Received: from relay.example.net (relay.example.net [192.0.2.7])",
    `\tby mail.example.org with ESMTPS id ${n.toString(36)}; ${date}`,
    `Date: ${date}`,
    `From: ${from[0]?.toUpperCase()}${from.slice(1)} <${from}@example.net>`,
    `To: ${to}@example.org, "Other, One" <other@example.org>`,
    `Subject: ${n % 5 === 0 ? "Re: " : ""}${subject}`,
    `Message-ID: <${n}.bench@example.net>`,
    ...(n % 5 === 0 ? [`In-Reply-To: <${n - 1}.bench@example.net>`] : []),
    "MIME-Version: 1.0",
  ];
  const plain = ["Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 7bit"];
  if (n % 4 !== 0) return Buffer.from([...head, ...plain, "", ...text, ""].join("\r\n"));
  const bytes = Buffer.from(Array.from({ length: 3000 }, () => Math.floor(random() * 256)));
  const attached = bytes.toString("base64").match(/.{1,76}/g) ?? [];
  const boundary = `=-${n}-bench`;
  const parts = [
    `Content-Type: multipart/mixed; boundary="${boundary}"`,
    "",
    `--${boundary}`,
    ...plain,
    "",
    ...text,
    `--${boundary}`,
    'Content-Type: application/octet-stream; name="data.bin"',
    "Content-Transfer-Encoding: base64",
    'Content-Disposition: attachment; filename="data.bin"',
    "",
    ...attached,
    `--${boundary}--`,
    "",
  ];
  return Buffer.from([...head, ...parts].join("\r\n"));
}

/** A Maildir of 10,000 messages, as a program that delivers leaves it; the bytes of all of it on the wire. */
export function fillMaildir(folder: string): number {
  for (const name of ["tmp", "new", "cur"]) fs.mkdirSync(path.join(folder, name), { recursive: true });
  let wireBytes = 0;
  for (let n = 0; n < mailboxMessages; n++) {
    const message = benchMessage(n);
    wireBytes += message.length;
    const kept = Buffer.from(message.toString("latin1").replaceAll("\r\n", "\n"), "latin1");
    const name = `${1_700_000_000 + n * 3600}.M${n}P1.bench,S=${kept.length},W=${message.length}`;
    fs.writeFileSync(path.join(folder, "cur", `${name}:2,S`), kept);
  }
  return wireBytes;
}
