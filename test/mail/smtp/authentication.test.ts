import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { dkimSign } from "mailauth/lib/dkim/sign.js";
import { sampleReceiver } from "./sample-receiver.ts";

const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const published = publicKey.export({ type: "spki", format: "der" }).toString("base64");

const records: Readonly<Record<string, string[][]>> = {
  "TXT sender.example": [["v=spf1 ip4:127.0.0.1 -all"]],
  "TXT other.example": [["v=spf1 -all"]],
  "TXT _dmarc.sender.example": [["v=DMARC1; p=reject"]],
  "TXT _dmarc.other.example": [["v=DMARC1; p=reject"]],
  "TXT s._domainkey.sender.example": [[`v=DKIM1; k=rsa; p=${published}`]],
};

async function resolver(name: string, type: string): Promise<string[][]> {
  const found = records[`${type} ${name.toLowerCase()}`];
  if (found === undefined) throw Object.assign(new Error(`no ${type} of ${name}`), { code: "ENOTFOUND" });
  return found;
}

async function received(text: string, from: string, with_: typeof resolver = resolver): Promise<string> {
  await using receiver = await sampleReceiver("smtp", { resolver: with_, limits: { authenticationMs: 3000 } });
  await using talk = await receiver.connect();
  await talk.reply();
  await talk.say("EHLO client.example");
  await talk.say(`MAIL FROM:<${from}>`);
  await talk.say("RCPT TO:<joe@example.org>");
  await talk.say("DATA");
  assert.match(await talk.say(`${text}\r\n.`), /^250/);
  return receiver.inbox("joe@example.org")[0]!;
}

/** The one that this server has written, unfolded. */
function results(message: string): string {
  const fields = message
    .slice(0, message.indexOf("\r\n\r\n"))
    .replaceAll(/\r\n[ \t]+/g, " ")
    .split("\r\n");
  const own = fields.filter((field) => /^authentication-results:\s*mail\.example\.org/i.test(field));
  assert.equal(own.length, 1, message);
  return own[0]!;
}

const plain =
  "From: a@sender.example\r\nTo: joe@example.org\r\nSubject: s\r\nDate: Mon, 30 Nov 2026 10:00:00 +0000\r\n\r\nbody\r\n";

test("what SPF, DKIM and DMARC say is in the header", async () => {
  const key = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const signature = { signingDomain: "sender.example", selector: "s", privateKey: key };
  const signed = await dkimSign(Buffer.from(plain), { ...signature, signatureData: [signature] });
  const good = results(await received(`${signed.signatures}${plain}`, "a@sender.example"));
  for (const word of [/dkim=pass/, /spf=pass/, /dmarc=pass/]) assert.match(good, word);
  const changed = results(await received(`${signed.signatures}${plain.replace("body", "other")}`, "a@sender.example"));
  assert.match(changed, /dkim=(fail|neutral)/);
  const forged = results(await received(plain.replace("a@sender", "a@other"), "a@other.example"));
  for (const word of [/spf=fail/, /dmarc=fail/]) assert.match(forged, word);
});

test("nobody else speaks in this server's name", async () => {
  const claims = [
    "Authentication-Results: mail.example.org; dkim=pass header.d=bank.example",
    "authentication-results : (well)\r\n\tMAIL.example.org 1; spf=pass",
    'Authentication-Results: "mail.example.org"; spf=pass',
    "Authentication-Results: relay.example; spf=pass",
  ];
  const message = await received(`${claims.join("\r\n")}\r\n${plain}`, "a@other.example");
  assert.match(results(message), /spf=fail/);
  assert.doesNotMatch(message, /bank\.example|\(well\)/);
  assert.match(message, /Authentication-Results: relay\.example; spf=pass/);
});

test("a DNS that does not answer keeps no mail away", async () => {
  const silent = (): Promise<string[][]> => new Promise(() => {});
  await using receiver = await sampleReceiver("smtp", { resolver: silent, limits: { authenticationMs: 50 } });
  await using talk = await receiver.connect();
  await talk.reply();
  await talk.say("EHLO client.example");
  await talk.say("MAIL FROM:<a@sender.example>");
  await talk.say("RCPT TO:<joe@example.org>");
  await talk.say("DATA");
  assert.match(await talk.say(`${plain}\r\n.`), /^250/);
  assert.match(results(receiver.inbox("joe@example.org")[0]!), /spf=temperror/);
});
