import assert from "node:assert/strict";
import * as fs from "node:fs";
import { connect } from "node:tls";
import test from "node:test";
import { temporaryFolder } from "../temp.ts";
import { skipDovecot, startDovecot } from "./dovecot.ts";
import { ImapTalk } from "./imap-talk.ts";
import { runPeer } from "./peer.ts";

test("Dovecot can be spoken with, and ends with all its processes", { skip: skipDovecot() }, async () => {
  await using dovecot = await startDovecot({ protocols: ["imap", "pop3", "lmtp"] });
  const message = Buffer.from("Subject: a\r\n\r\nb\r\n");
  {
    await using talk = await dovecot.logIn();
    await talk.ok("APPEND INBOX ", message);
    await talk.ok("SELECT INBOX");
    const { untagged } = await talk.ok("FETCH 1 (FLAGS BODY.PEEK[])");
    assert.deepEqual(untagged, [`1 FETCH (FLAGS (\\Recent) BODY[] {${message.length}}\r\n${message.toString()})`]);
    assert.equal((await talk.command("SELECT nowhere")).status, "NO");
  }
  assert.equal(fs.readdirSync(`${dovecot.home()}/Maildir/cur`).length, 1);
  assert.match(dovecot.doveadm("mailbox", "status", "-u", "joe", "messages", "INBOX"), /messages=1/);
  await dovecot.stop();
  await assert.rejects(dovecot.logIn());
});

test("Dovecot asks for a client certificate", { skip: skipDovecot("openssl") }, async () => {
  await using folder = temporaryFolder();
  const [certificate, key] = [folder.join("certificate.pem"), folder.join("key.pem")];
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  const newKey = [
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-nodes",
    "-keyout",
    key,
    "-out",
    certificate,
  ];
  runPeer("openssl", ["req", "-x509", ...subject, ...newKey]);
  await using dovecot = await startDovecot({ tls: { certificate, key, ca: certificate } });
  const server = {
    port: dovecot.imapsPort,
    host: "127.0.0.1",
    ca: fs.readFileSync(certificate),
    servername: "localhost",
  };
  await using without = await ImapTalk.start(connect(server));
  assert.equal((await without.command("LOGIN joe secret")).status, "NO");
  await using withOne = await ImapTalk.start(
    connect({ ...server, cert: fs.readFileSync(certificate), key: fs.readFileSync(key) }),
  );
  await withOne.ok("LOGIN joe secret");
});
