/** The configurations that `mail export` prints, in the programs that they are for. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import * as tls from "node:tls";
import { after, before, test } from "node:test";
import { temporaryFolder } from "../temp.ts";
import { runWithin } from "../cli/run-within.ts";
import { skipDovecot, startDovecot, type Dovecot } from "./dovecot.ts";
import { fetchedPackage } from "./fetched-package.ts";
import { ImapTalk } from "./imap-talk.ts";
import { runPeer, skipWithout } from "./peer.ts";
import { endServer, freePort, startServer } from "./server.ts";

const folder = temporaryFolder();
const place = folder.join("mail");
const keys = folder.join("keys");
const password = "staple 7";
const env = { HOLDFAST_MAIL: place, HOLDFAST_CA_PASSWORD: "correct horse", HOLDFAST_PASSWORD: password };
let imapsPort = 0;

async function mail(...words: readonly string[]): Promise<string> {
  const { stdout, stderr, status } = await runWithin(["mail", ...words], env);
  assert.deepEqual({ stderr, status }, { stderr: "", status: 0 }, words.join(" "));
  return stdout;
}

before(async () => {
  await mail("init", "example.org", "--host", "localhost", "--host", "127.0.0.1");
  for (const name of ["joe", "patrick", "tim"]) {
    await mail("user", "add", `${name}@example.org`, ...(name === "tim" ? ["--no-password"] : []));
    await mail("cert", "issue", `${name}@example.org`, "-d", "pc", "--format", "pem", "-o", keys);
  }
  await mail("cert", "issue", "joe@example.org", "-d", "lost", "--format", "pem", "-o", keys);
  await mail("cert", "revoke", "joe@example.org", "-d", "lost");
  imapsPort = await freePort();
  const settings = fs.readFileSync(`${place}/mail.toml`, "utf8");
  const ports = `imaps_port = ${imapsPort}\npop3s_port = ${await freePort()}`;
  fs.writeFileSync(`${place}/mail.toml`, settings.replace("[server]", `[server]\n${ports}`));
});
after(() => folder[Symbol.asyncDispose]());

const no = /^(NO|BAD|refused)$/;

/** The account that Dovecot works as in tests. */
async function dovecotFor(text: string): Promise<Dovecot> {
  const isRoot = process.getuid?.() === 0;
  const account = isRoot
    ? "uid=nobody gid=nogroup"
    : `uid=${os.userInfo().username} gid=${runPeer("id", ["-gn"]).trim()}`;
  const home = folder.join("home");
  const atOnce =
    "auth_failure_delay = 0\nservice anvil {\n  unix_listener anvil-auth-penalty {\n    mode = 0\n  }\n}\n";
  const settings = `${atOnce}${text.replace(/uid=vmail gid=vmail home=.*/, `${account} home=${home}/%d/%n`)}`;
  const dovecot = await startDovecot({ users: {}, protocols: ["imap", "pop3"], settings, readyPort: imapsPort });
  await dovecot.stop();
  const whole = fs.readFileSync(dovecot.configuration, "utf8");
  fs.writeFileSync(dovecot.configuration, whole.replace(/userdb \{\n {2}driver = static\n.*\n\}/, "")); // only the exported one
  await dovecot.start();
  return dovecot;
}

/** What a login comes to: its answer, or `refused` where there is no connection. */
async function logIn(certificate: string | undefined, user: string, secret = password): Promise<string> {
  const own =
    certificate === undefined
      ? {}
      : { cert: fs.readFileSync(`${keys}/${certificate}.pem`), key: fs.readFileSync(`${keys}/${certificate}.key`) };
  const ca = fs.readFileSync(`${keys}/root.pem`);
  const socket = tls.connect({ port: imapsPort, host: "127.0.0.1", ca, ...own });
  try {
    const closed = new Promise<never>((_, reject) => {
      socket.on("error", reject);
      socket.on("close", () => reject(new Error("closed")));
    });
    return await Promise.race([
      closed,
      ImapTalk.start(socket).then(async (talk) => {
        const { status } = await talk.command(`LOGIN "${user}" "${secret}"`);
        return status === "OK" ? (await talk.command("STATUS INBOX (MESSAGES)")).untagged.join("") : status;
      }),
    ]);
  } catch {
    return "refused";
  } finally {
    socket.destroy();
  }
}

test(
  "Dovecot lets in who has the certificate and the password, and fetchmail fetches from it",
  { skip: skipDovecot("fetchmail") },
  async () => {
    await using dovecot = await dovecotFor(await mail("export", "--for", "dovecot"));
    assert.match(await logIn("joe-pc", "joe@example.org"), /MESSAGES 0/, dovecot.log());
    assert.match(await logIn("joe-pc", "joe@example.org", "wrong"), no);
    assert.match(await logIn("joe-lost", "joe@example.org"), no); // Dovecot says so only at the login
    assert.match(await logIn(undefined, "joe@example.org"), no);
    assert.match(await logIn("tim-pc", "tim@example.org", ""), no); // has no password

    // With another's certificate the mailbox is the certificate's, whoever is named.
    const inbox = folder.join("home/example.org/patrick/Maildir/new");
    fs.mkdirSync(inbox, { recursive: true });
    fs.writeFileSync(path.join(inbox, "1.a.b"), "From: a@example.org\nSubject: for patrick\n\nhello\n");
    assert.match(await logIn("joe-pc", "patrick@example.org"), /MESSAGES 0|NO|refused/);
    assert.match(await logIn("patrick-pc", "patrick@example.org"), /MESSAGES 1/);

    const text = await mail("export", "--for", "fetchmail", "--user", "patrick@example.org", "--certificates", keys);
    const fetched = folder.join("fetched");
    const settings = `set no bouncemail\nset idfile "${folder.join("ids")}"\nset pidfile "${folder.join("pid")}"\n`;
    const rc = text.replace(/user "patrick@example\.org" is/, `user "patrick@example.org" password "${password}" is`);
    fs.writeFileSync(folder.join("rc"), settings + rc, { mode: 0o600 });
    const words = ["-f", folder.join("rc"), "--mda", `cat >> ${fetched}`, "--nosyslog"];
    runPeer("fetchmail", words, { env: { HOME: folder.path, FETCHMAILHOME: folder.path } });
    assert.match(fs.readFileSync(fetched, "utf8"), /^Subject: for patrick$/m);
  },
);

test(
  "nginx lets in who has a certificate, and not who has one that was revoked",
  { skip: skipWithout("dpkg-deb", "curl") },
  async (t) => {
    // Installing it would have it serve this machine.
    const file = await fetchedPackage("nginx", runPeer("dpkg", ["--print-architecture"]).trim());
    if (file === undefined) return t.skip("nginx cannot be fetched");
    runPeer("dpkg-deb", ["-x", file, folder.join("nginx")]);
    const port = await freePort();
    const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
      (name) => `${name}_temp_path ${folder.join(name)};`,
    );
    const configuration = `daemon off; master_process off; pid ${folder.join("nginx.pid")}; error_log ${folder.join("error.log")};
events { }
http { access_log off; ${temporary.join(" ")}
server { listen 127.0.0.1:${port} ssl; location / { return 200 "you are $ssl_client_s_dn"; }
${await mail("export", "--for", "nginx")} } }`;
    fs.writeFileSync(folder.join("nginx.conf"), configuration);
    const child = await startServer(folder.join("nginx/usr/sbin/nginx"), ["-c", folder.join("nginx.conf")], port);
    try {
      const get = (...words: readonly string[]): string =>
        runPeer("curl", ["-s", "--cacert", `${keys}/root.pem`, ...words, `https://localhost:${port}/`]);
      const by = (name: string): string[] => ["--cert", `${keys}/${name}.pem`, "--key", `${keys}/${name}.key`];
      assert.match(get(...by("joe-pc")), /you are CN=joe@example\.org,OU=pc,O=example\.org/);
      assert.match(get(), /400/);
      assert.match(get(...by("joe-lost")), /400.*SSL certificate error/s);
    } finally {
      await endServer(child);
    }
  },
);
