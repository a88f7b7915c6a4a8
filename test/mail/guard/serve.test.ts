/** The mail server from outside: who gets in, who does not, and what ends a connection. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { after, before, test } from "node:test";
import { encodePem } from "../../../src/mail/pki/index.ts";
import { madeAuthority, madeCertificate } from "../pki/sample-authority.ts";
import { MailMachine, plainConnection, type ClientFiles } from "./mail-machine.ts";

let machine: MailMachine;
let joe: ClientFiles;
let anna: ClientFiles;

before(async () => {
  machine = await MailMachine.make();
  joe = await machine.client("joe@example.org");
  anna = await machine.client("anna@example.org");
  machine.deliver("joe", "Subject: one\r\n\r\nHello\r\n.dot\r\n");
  machine.settings("[login]\ncertificate_alone = true\n[limits]\nrefusals_per_address = 1000\n");
  await machine.start();
});
after(() => machine[Symbol.asyncDispose]());

const protocols = ["imaps", "pop3s"] as const;
const versions = ["TLSv1.2", "TLSv1.3"] as const;

test("with certificate and password the mail is there, by POP3 and IMAP", async () => {
  const pop = machine.connect("pop3s", joe);
  assert.match(await pop.until("\r\n"), /^\+OK /);
  assert.equal(await pop.ask("USER joe"), "+OK");
  assert.match(await pop.ask("PASS secret"), /^\+OK/);
  assert.match(await pop.ask("STAT"), /^\+OK 1 \d+$/);
  await pop.ask("RETR 1");
  assert.match(await pop.until("\r\n.\r\n"), /Subject: one\r\n\r\nHello\r\n\.\.dot\r\n\.\r\n$/);
  assert.equal(await pop.ask("QUIT"), "+OK");
  await pop.rest();
  const imap = machine.connect("imaps", joe);
  assert.match(await imap.until("\r\n"), /^\* OK /);
  imap.send("a LOGIN joe secret\r\nb SELECT INBOX\r\nc LOGOUT\r\n");
  assert.match(await imap.until("b OK"), /\* 1 EXISTS/);
  await imap.rest();
});

test("whoever's certificate is not good is told why in the handshake, and gets no byte of a protocol", async () => {
  const other = madeAuthority("other");
  const from = new Date(Date.now() - 3 * 86_400_000);
  const cases = {
    none: [undefined, /certificate required|handshake failure/i, "no certificate"],
    "self-made": [write("self", madeCertificate({})), /unknown ca/i, "self-signed"],
    "another authority's": [write("other", madeCertificate({}, other)), /unknown ca/i, "unknown authority"],
    expired: [await machine.client("joe@example.org", "old", { days: 1, now: from }), /expired/i, "expired"],
    revoked: [await machine.client("joe@example.org", "lost"), /revoked/i, "revoked"],
  } as const;
  await machine.revoke(cases.revoked[0]);
  await machine.taken();
  for (const [name, [client, alert, why]] of Object.entries(cases)) {
    for (const protocol of protocols) {
      for (const version of versions) {
        const talk = machine.connect(protocol, client, { minVersion: version, maxVersion: version });
        assert.equal(await talk.rest(), "", `${name}, ${protocol}, ${version}`);
        assert.match(talk.error?.message ?? "", alert, `${name}, ${protocol}, ${version}`);
      }
    }
    assert.match(await machine.audited(new RegExp(`event=handshake .*why="?${why}"?$`)), /address=127\.0\.0\.1/);
  }
});

function write(name: string, { der, privateKey }: ReturnType<typeof madeCertificate>): ClientFiles {
  const file = machine.folder.join(name);
  fs.writeFileSync(`${file}.pem`, encodePem("CERTIFICATE", der));
  fs.writeFileSync(`${file}.key`, privateKey.export({ type: "pkcs8", format: "pem" }));
  return { cert: `${file}.pem`, key: `${file}.key`, serial: "" };
}

test("another's certificate never opens a mailbox, whatever the password; all refusals look the same", async () => {
  const tried = [
    ["joe", "secret", "another's certificate"],
    ["joe@example.org", "wrong", "another's certificate"],
    ["anna", "wrong", "wrong password"],
    ["nobody", "secret", "another's certificate"],
    ["anna@example.com", "geheim", "another's certificate"],
  ] as const;
  for (const [user, password, why] of tried) {
    const talk = machine.connect("pop3s", anna);
    await talk.until("\r\n");
    await talk.ask(`USER ${user}`);
    assert.equal(await talk.ask(`PASS ${password}`), "-ERR [AUTH] user, password or certificate do not fit");
    talk.socket.destroy();
    const line = await machine.audited(new RegExp(`event=refused .*login=${user} .*why="${why}"`));
    assert.match(line, /certificate=anna@example\.org serial=[0-9A-F]+ /);
  }
  assert.doesNotMatch(machine.auditLines().join("\n"), /secret|geheim/);
});

test("EXTERNAL: the certificate alone, where the owner wants that", async () => {
  for (const [response, isIn] of [
    ["=", true],
    [Buffer.from("anna@example.org").toString("base64"), true],
    [Buffer.from("joe@example.org").toString("base64"), false],
  ] as const) {
    const talk = machine.connect("pop3s", anna);
    await talk.until("\r\n");
    assert.match(await talk.ask(`AUTH EXTERNAL ${response}`), isIn ? /^\+OK/ : /^-ERR \[AUTH\]/);
    talk.socket.destroy();
  }
});

test("a session of TLS is not resumed: each connection shows its certificate", async () => {
  for (const version of versions) {
    const options = { minVersion: version, maxVersion: version };
    const first = machine.connect("pop3s", joe, options);
    const sessions: Buffer[] = [];
    first.socket.on("session", (session: Buffer) => sessions.push(session));
    await first.until("\r\n");
    await first.ask("QUIT");
    await first.rest();
    const session = first.socket.getSession() ?? sessions.at(-1);
    const again = machine.connect("pop3s", undefined, { ...options, ...(session === undefined ? {} : { session }) });
    assert.equal(await again.rest(), "");
    const withCertificate = machine.connect("pop3s", joe, {
      ...options,
      ...(session === undefined ? {} : { session }),
    });
    assert.match(await withCertificate.until("\r\n"), /^\+OK/);
    assert.equal(withCertificate.socket.isSessionReused(), false);
    withCertificate.socket.destroy();
  }
});

test("revoked while connected: cut off, and nobody else", async () => {
  const lost = await machine.client("joe@example.org", "phone");
  const [cut, stays] = [machine.connect("pop3s", lost), machine.connect("pop3s", joe)];
  for (const talk of [cut, stays]) {
    await talk.until("\r\n");
    await talk.ask("USER joe");
    await talk.ask("PASS secret");
  }
  const imap = machine.connect("imaps", lost);
  await imap.until("\r\n");
  imap.send("a LOGIN joe secret\r\n");
  await imap.until("a OK");
  await machine.revoke(lost);
  await cut.rest();
  assert.match(await imap.rest(), /^\* BYE /m);
  assert.match(await stays.ask("NOOP"), /^\+OK/);
  stays.socket.destroy();
  await machine.audited(new RegExp(`event=ended .*serial=${lost.serial} why=revoked`));
});

test("a list renewed again and again drops no connection", async () => {
  const talks = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const talk = machine.connect("pop3s", joe);
      await talk.until("\r\n");
      await talk.ask("USER joe");
      await talk.ask("PASS secret");
      return talk;
    }),
  );
  for (let n = 0; n < 5; n++) {
    await machine.renewList();
    assert.deepEqual(new Set(await Promise.all(talks.map((talk) => talk.ask("NOOP")))), new Set(["+OK"]));
    const fresh = machine.connect("imaps", joe);
    assert.match(await fresh.until("\r\n"), /^\* OK/);
    fresh.socket.destroy();
  }
  for (const talk of talks) talk.socket.destroy();
});

test("what is no TLS, and what never ends, is hung up on", async () => {
  const talker = await plainConnection(machine.port("imaps"));
  const got: Buffer[] = [];
  talker.on("data", (bytes) => got.push(bytes));
  talker.write("a LOGIN joe secret\r\n");
  await new Promise((resolve) => void talker.once("close", resolve));
  assert.doesNotMatch(Buffer.concat(got).toString("latin1"), /OK|BYE/);
  const endless = machine.connect("pop3s", joe);
  await endless.until("\r\n");
  endless.send("A".repeat(1024 * 1024));
  await endless.rest();
  const still = machine.connect("pop3s", joe);
  assert.match(await still.until("\r\n"), /^\+OK/);
  still.socket.destroy();
});

test("a process that breaks down takes its own connections with it, and another takes its place", async () => {
  const talks = await Promise.all(
    Array.from({ length: 6 }, async () => {
      const talk = machine.connect("pop3s", joe);
      await talk.until("\r\n");
      return talk;
    }),
  );
  const { pid } = process;
  const [worker] = fs.readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ");
  process.kill(Number(worker), "SIGKILL");
  await machine.noticed(/another takes its place/);
  const answers = await Promise.allSettled(talks.map((talk) => talk.ask("CAPA")));
  const left = answers.filter(({ status }) => status === "fulfilled").length;
  assert.ok(left > 0 && left < talks.length, `${left} of ${talks.length} are left`);
  for (let n = 0; n < 4; n++) {
    const talk = machine.connect("pop3s", joe);
    assert.match(await talk.until("\r\n"), /^\+OK/);
    talk.socket.destroy();
  }
  for (const talk of talks) talk.socket.destroy();
});
