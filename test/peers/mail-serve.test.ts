/** The mail server as OpenSSL, curl, Python's poplib and imaplib, and fetchmail reach it. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import { after, before, test } from "node:test";
import { MailMachine, type ClientFiles } from "../mail/guard/mail-machine.ts";
import { peerPath, skipWithout } from "./peer.ts";

const skip = skipWithout("openssl", "curl", "python3", "fetchmail");
const messages = ["Subject: one\r\n\r\nHello\r\n.dot\r\n", "Subject: two\r\n\r\nlast line\r\n"];

let machine: MailMachine;
let joe: ClientFiles;
let anna: ClientFiles;
let lost: ClientFiles;

before(async () => {
  if (skip !== false) return;
  machine = await MailMachine.make();
  joe = await machine.client("joe@example.org");
  anna = await machine.client("anna@example.org");
  lost = await machine.client("joe@example.org", "lost");
  await machine.revoke(lost);
  machine.deliver("joe", ...messages);
  machine.settings("[limits]\nrefusals_per_address = 1000\n");
  await machine.start();
});
after(() => machine?.[Symbol.asyncDispose]());

/** The server is in this process: a program that is waited for must not hold it up. */
async function run(program: string, words: readonly string[], input = "") {
  const child = spawn(peerPath(program) ?? program, words, { stdio: "pipe" });
  const said: Buffer[] = [];
  const out: Buffer[] = [];
  child.stdout.on("data", (bytes: Buffer) => out.push(bytes));
  child.stderr.on("data", (bytes: Buffer) => said.push(bytes));
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  const status = await new Promise<number | null>((resolve) => void child.once("close", resolve));
  return { status, out: Buffer.concat(out).toString("latin1"), said: Buffer.concat(said).toString("latin1") };
}

const shown = ({ cert, key }: ClientFiles): string[] => ["-cert", cert, "-key", key];

test("openssl s_client: an alert for each that is refused, and nothing of IMAP or POP3", { skip }, async () => {
  const made = machine.folder.join("made");
  const subject = ["-subj", "/CN=joe", "-addext", "subjectAltName=email:joe@example.org"];
  const key = ["-newkey", "rsa:2048", "-nodes", "-keyout", `${made}.key`];
  await run("openssl", ["req", "-x509", ...key, "-out", `${made}.pem`, ...subject]);
  const self: ClientFiles = { cert: `${made}.pem`, key: `${made}.key`, serial: "" };
  for (const [version, protocol] of [
    ["-tls1_2", "imaps"],
    ["-tls1_3", "pop3s"],
  ] as const) {
    for (const [words, alert] of [
      [[], /alert (certificate required|handshake failure)/],
      [shown(self), /alert unknown ca/],
      [shown(lost), /alert certificate revoked/],
    ] as const) {
      const place = ["-connect", `127.0.0.1:${machine.port(protocol)}`, version];
      const { out, said } = await run("openssl", ["s_client", ...place, "-ign_eof", "-quiet", ...words]);
      assert.match(said, alert);
      assert.equal(out, "");
    }
  }
  const { said } = await run("openssl", ["s_client", "-connect", `127.0.0.1:${machine.port("pop3s")}`, "-tls1_1"]);
  assert.match(said, /protocol version|no protocols available/);
});

function curl(
  protocol: "imaps" | "pop3s",
  client: ClientFiles | undefined,
  user: string,
  path: string,
  address = "127.0.0.1",
) {
  const host = address.includes(":") ? `[${address}]` : address;
  const certificate = client === undefined ? [] : ["--cert", client.cert, "--key", client.key];
  const url = `${protocol}://${host}:${machine.port(protocol, address)}/${path}`;
  return run("curl", ["-sS", "--cacert", machine.ca, ...certificate, "--user", user, url]);
}

test(
  "curl reads mail by both protocols, IPv4 and IPv6; not without the certificate of that user",
  { skip },
  async () => {
    for (const address of ["127.0.0.1", "::1"]) {
      assert.equal((await curl("pop3s", joe, "joe:secret", "1", address)).out, messages[0]);
      assert.match((await curl("pop3s", joe, "joe@example.org:secret", "", address)).out, /^1 29\r\n2 27\r\n$/);
      assert.equal((await curl("imaps", joe, "joe:secret", "INBOX;MAILINDEX=2", address)).out, messages[1]);
    }
    for (const protocol of ["imaps", "pop3s"] as const) {
      assert.equal((await curl(protocol, anna, "joe:secret", "")).status, 67); // CURLE_LOGIN_DENIED
      for (const client of [undefined, lost]) {
        const { status, out } = await curl(protocol, client, "joe:secret", "");
        assert.ok([35, 56].includes(status ?? 0), `curl ended with ${status}`); // of TLS
        assert.equal(out, "");
      }
    }
  },
);

const python = `
import imaplib, poplib, ssl, sys
ca, cert, key, pop, imap = sys.argv[1:]
context = ssl.create_default_context(cafile=ca)
context.load_cert_chain(cert, key)
p = poplib.POP3_SSL("localhost", int(pop), context=context)
print(sorted(p.capa()))
p.utf8()
p.user("joe"); p.pass_("secret")
print(p.stat(), p.list()[1], len(set(p.uidl()[1])))
print(p.retr(1)[1], p.top(2, 0)[1])
p.dele(2); p.rset()
print(p.quit())
i = imaplib.IMAP4_SSL("localhost", int(imap), ssl_context=context)
i.login("joe", "secret")
print(i.select("INBOX"))
print(i.fetch("1", "(BODY.PEEK[])")[1][0][1])
i.logout()
`;

test("Python's poplib and imaplib", { skip }, async () => {
  const ports = [machine.port("pop3s"), machine.port("imaps")].map(String);
  const { status, out, said } = await run("python3", ["-c", python, machine.ca, joe.cert, joe.key, ...ports]);
  assert.equal(status, 0, said);
  assert.match(out, /\(2, 56\) \[b'1 29', b'2 27'\] 2\n/);
  assert.match(out, /\[b'Subject: one', b'', b'Hello', b'\.dot'\] \[b'Subject: two', b''\]/);
  assert.match(out, /b'Subject: one\\r\\n\\r\\nHello\\r\\n\.dot\\r\\n'/);
});

test("fetchmail fetches by POP3 and IMAP, and deletes what it has", { skip }, async () => {
  for (const [user, protocol] of [
    ["joe", "pop3"],
    ["anna", "imap"],
  ] as const) {
    machine.deliver("anna", ...messages);
    const { cert, key } = user === "joe" ? joe : anna;
    const [password, port] = user === "joe" ? ["secret", machine.port("pop3s")] : ["geheim", machine.port("imaps")];
    const box = machine.folder.join(`fetched-${user}`);
    const rc = machine.folder.join(`fetchmailrc-${user}`);
    const lines = [
      `poll localhost protocol ${protocol} port ${port}`,
      `user "${user}" password "${password}" ssl sslproto "" sslcert "${cert}" sslkey "${key}" sslcertck sslcertfile "${machine.ca}"`,
      `mda "cat >> ${box}"`,
    ];
    fs.writeFileSync(rc, `${lines.join("\n  ")}\n`, { mode: 0o600 });
    const { status, out, said } = await run("fetchmail", [
      "-f",
      rc,
      "--nodetach",
      "-v",
      "--pidfile",
      machine.folder.join("pid"),
    ]);
    assert.equal(status, 0, out + said);
    assert.match(fs.readFileSync(box, "latin1"), /Subject: one[^]*Hello\n\.dot\n[^]*Subject: two[^]*last line/);
    const again = await run("fetchmail", ["-f", rc, "--nodetach", "--pidfile", machine.folder.join("pid")]);
    assert.equal(again.status, 1, again.out + again.said); // no mail
  }
});
