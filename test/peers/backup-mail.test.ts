/** Mail over TLS: whoever vouches for the server is asked, and a password goes to nobody else. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as tls from "node:tls";
import { test } from "node:test";
import { sendMail } from "../../src/backup/plan/send-mail.ts";
import { smtpSink } from "../backup/sinks.ts";
import { temporaryFolder } from "../temp.ts";
import { runPeer, skipWithout } from "./peer.ts";

const skip = skipWithout("openssl");

test("by smtps, with a certificate that ca_file vouches for, and not without", { skip }, async () => {
  await using folder = temporaryFolder();
  const [key, cert] = [folder.join("key.pem"), folder.join("cert.pem")];
  const names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  runPeer("openssl", ["req", "-x509", ...kind, ...names, "-keyout", key, "-out", cert]);
  await using sink = await smtpSink((serve) =>
    tls.createServer({ key: fs.readFileSync(key), cert: fs.readFileSync(cert) }, serve),
  );
  const server = { host: "localhost", port: sink.port, isTls: true, user: "u", password: { variable: "PASSWORD" } };
  const notice = { of: "always", to: ["anna@example.org"], from: "me@example.org" } as const;
  const letter = { subject: "a subject", text: "a text\n" };
  const env = { PASSWORD: "secret" };
  await assert.rejects(
    sendMail({ ...notice, server }, letter, env),
    /cannot send mail to anna@example\.org: .*certificate/,
  );
  assert.equal(sink.taken.length, 0);
  await sendMail({ ...notice, server: { ...server, authorities: cert } }, letter, env);
  assert.equal(sink.taken[0]?.login, "u secret");
  assert.match(sink.taken[0]?.data ?? "", /^Subject: a subject$/m);
});
