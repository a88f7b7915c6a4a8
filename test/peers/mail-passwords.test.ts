/** Passwords and passwd-files, as Debian's Dovecot makes and reads them. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as os from "node:os";
import { test } from "node:test";
import { canVerify, hashPassword, parseStored, UserDirectory, verifyPassword } from "../../src/mail/passwords/index.ts";
import { temporaryFolder } from "../temp.ts";
import { peerPath, runPeer, skipWithout } from "./peer.ts";
import { endServer, startServer } from "./server.ts";

const skip = skipWithout("dovecot", "doveadm");

/** What only a challenge can be checked with, or nobody uses for mail any more. */
const leftOut = new Set(["HMAC-MD5", "CRAM-MD5", "DIGEST-MD5", "OTP", "PLAIN-MD4", "PLAIN-TRUNC"]);

test("a password in each scheme and encoding of Dovecot's", { skip }, async () => {
  const schemes = runPeer("doveadm", ["pw", "-l"]).trim().split(/\s+/);
  assert.ok(schemes.length > 20);
  const encoded = ["PLAIN.b64", "PLAIN.hex", "SSHA.hex", "SSHA256.b64", "PLAIN-MD5.b64", "SHA512-CRYPT.hex"];
  for (const scheme of [...schemes, ...encoded]) {
    const stored = parseStored(runPeer("doveadm", ["pw", "-s", scheme, "-p", "sécret", "-u", "joe"]).trim());
    assert.equal(canVerify(stored), !leftOut.has(scheme), scheme);
    if (leftOut.has(scheme)) continue;
    assert.equal(await verifyPassword("sécret", stored), true, scheme);
    assert.equal(await verifyPassword("secret", stored), false, scheme);
  }
  const ours = await hashPassword("sécret");
  assert.match(runPeer("doveadm", ["pw", "-t", ours, "-p", "sécret"]), /verified/);
});

test("crypt(3) with and without a scheme before it", { skip }, async () => {
  const known = [
    "$1$abcdefgh$swSER/RpIw0Maha87liD.0",
    "{CRYPT}$1$abcdefgh$swSER/RpIw0Maha87liD.0",
    "{crypt}$1$abcdefgh$swSER/RpIw0Maha87liD.0",
  ];
  for (const text of known) {
    assert.equal(await verifyPassword("sécret", parseStored(text)), true, text);
    assert.match(runPeer("doveadm", ["pw", "-t", text, "-p", "sécret"]), /verified/);
  }
  const yescrypt = "$y$j9T$abcdefghabcdefgh$33GKDcejmUsteEtKC/Ej0TjjSYt7OxVNq.2SLlXxZu6";
  assert.equal(await verifyPassword("secret", parseStored(yescrypt)), true);
});

test("one file of users, read by Dovecot and here", { skip }, async () => {
  await using folder = temporaryFolder();
  fs.chmodSync(folder.path, 0o755); // as root, Dovecot reads it as nobody
  fs.mkdirSync(folder.join("example.org"));
  const file = folder.join("example.org/imap.passwd");
  const lines = [
    "# joe@example.org:{PLAIN}commented",
    "",
    "joe@example.org:{PLAIN}one:1000:1000::/home/joe::userdb_mail=maildir:~/M",
    "joe@example.org:{PLAIN}two:1000:1000::/home/joe::",
    "any@example.org::1000:1000::/home/any::nopassword",
    "both@example.org:{PLAIN}x:1000:1000::/home/both::nopassword",
    "empty@example.org::1000:1000::/home/empty::",
    "near@example.org:{PLAIN}x:1000:1000::/home/near::allow_nets=10.0.0.0/8",
    "far@example.org:{PLAIN}x:1000:1000::/home/far::allow_nets=192.168.0.0/16,fd00::/8",
    "Upper@example.org:{PLAIN}x:1000:1000::/home/upper::",
    "lower@example.org:{plain}x:1000:1000::/home/lower::",
    "named@example.org:{PLAIN}x:root:root::/home/named::",
    "short@example.org:{SHA256.hex}2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881",
    "old@example.org:$1$abcdefgh$swSER/RpIw0Maha87liD.0:1000:1000::/home/old::",
  ];
  fs.writeFileSync(file, `${lines.join("\n")}\n`);
  const configuration = folder.join("dovecot.conf");
  fs.writeFileSync(configuration, configurationOf(folder.path));
  const dovecot = await startServer("dovecot", ["-F", "-c", configuration], /starting up/);
  try {
    const users = new UserDirectory(folder.path, ["example.org"], Date.now);
    const names = ["joe", "any", "both", "empty", "near", "far", "upper", "LOWER", "named", "short", "old", "nobody"];
    const tried = names.flatMap((name) => ["one", "two", "x", "sécret"].map((password) => [name, password] as const));
    // At once, since Dovecot waits for seconds before it says no.
    await Promise.all(
      tried.map(async ([name, password]) => {
        const user = `${name}@example.org`;
        const { isRight } = await users.check(user, password, { remoteAddress: "10.1.1.1", isShown: false });
        const words = ["auth", "test", "-x", "rip=10.1.1.1", "-x", "no-penalty", user, password];
        const doveadm = spawn(peerPath("doveadm") ?? "", ["-c", configuration, ...words], { stdio: "ignore" });
        const [status] = await once(doveadm, "exit");
        assert.equal(isRight, status === 0, `${name} with "${password}"`);
      }),
    );
    assert.equal(users.find("joe@example.org")?.location, "maildir:~/M");
    assert.match(runPeer("doveadm", ["-c", configuration, "user", "joe@example.org"]), /mail\s+maildir:~\/M/);
  } finally {
    await endServer(dovecot);
  }
});

function configurationOf(folder: string): string {
  const isRoot = process.getuid?.() === 0;
  const user = isRoot ? "nobody" : os.userInfo().username;
  const group = isRoot ? "nogroup" : runPeer("id", ["-gn"]).trim();
  return [
    `base_dir = ${folder}/run`,
    `state_dir = ${folder}/state`,
    "log_path = /dev/stderr",
    "protocols =",
    "ssl = no",
    "auth_failure_delay = 0",
    `default_login_user = ${user}`,
    `default_internal_user = ${user}`,
    `default_internal_group = ${group}`,
    ...["passdb", "userdb"].map((name) => `${name} {\n  driver = passwd-file\n  args = ${folder}/%d/imap.passwd\n}`),
    "",
  ].join("\n");
}
