/** What mail.toml means, where mail lies, and what is said of settings that mean nothing. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { after, test } from "node:test";
import { problemText } from "../../src/bytes/toml/index.ts";
import {
  checkMailSettings,
  exampleOfSettings,
  expandLocation,
  mailFolder,
  readMailSettings,
} from "../../src/mail/settings/index.ts";
import { temporaryFolder } from "../temp.ts";

const folder = temporaryFolder();
const file = folder.join("mail.toml");
after(() => folder[Symbol.asyncDispose]());

async function problemsOf(text: string): Promise<string[]> {
  fs.writeFileSync(file, text);
  return (await checkMailSettings(folder.path)).problems.map(problemText);
}

test("without a file what is usual holds, and the domains are the folders", async () => {
  fs.mkdirSync(folder.join("domains/Example.org"), { recursive: true });
  const settings = await readMailSettings(folder.path);
  assert.deepEqual(settings.domains, ["example.org"]);
  assert.equal(settings.imapsPort, 993);
  assert.equal(settings.expiredRevocationList, "refuse");
  assert.equal(settings.allowsExternal, false);
});

test("the example has no problems, and what it only mentions is what holds anyway", async () => {
  const text = await exampleOfSettings();
  assert.deepEqual(await problemsOf(text), []);
  const usual = await readMailSettings(folder.path);
  assert.deepEqual(await problemsOf(text.replace(/^# (?=[a-z_]+ = )/gm, "")), []);
  const spelled = await readMailSettings(folder.path);
  const { account, processes, quotaBytes, serverCertificate, receiving, ...others } = spelled;
  const { lmtpSocket, ...otherReceiving } = receiving;
  assert.equal(lmtpSocket, "/run/holdfast/lmtp");
  assert.deepEqual({ account, processes, quotaBytes }, { account: "holdfast", processes: 2, quotaBytes: 1e10 });
  assert.match(serverCertificate?.key ?? "", /^\//);
  assert.deepEqual({ ...others, receiving: otherReceiving }, usual);
});

test("what is wrong is told with its line", async () => {
  const text =
    '[server]\nport = 1\nimaps_port = 70000\n[mailboxes]\nlocation = "mdbox:~/mail"\n[limits]\nban = "soon"\n';
  assert.deepEqual(await problemsOf(text), [
    "line 2: server.port: there is no such key; here can be imaps_port, pop3s_port, account, processes, audit, listen, imaps, pop3s",
    "line 3: server.imaps_port: a whole number from 0 to 65535 is needed",
    'line 5: mailboxes.location: cannot understand the place "mdbox:~/mail": it begins with neither maildir: nor mbox:; write maildir:~/Maildir, or mbox:~/mail:INBOX=/var/spool/mail/%n',
    'line 7: limits.ban: cannot understand the time "soon"; write 90s, 30m, 2h or 7d',
  ]);
  assert.match((await problemsOf("a = = 1"))[0] ?? "", /^line 1: /);
});

test("places are those that Dovecot's mail_location means", () => {
  const joe = { user: "Joe@example.org", home: "/home/joe" };
  assert.deepEqual(expandLocation("maildir:~/Maildir", joe), { kind: "maildir", folder: "/home/joe/Maildir" });
  assert.deepEqual(expandLocation("mbox:~/mail:INBOX=/var/spool/mail/%Ln", joe), {
    kind: "mbox",
    folder: "/home/joe/mail",
    inbox: "/var/spool/mail/joe",
  });
  assert.deepEqual(expandLocation("mbox:/srv/%d/%n:INDEX=%h/index", joe), {
    kind: "mbox",
    folder: "/srv/example.org/Joe",
    inbox: "/srv/example.org/Joe/inbox",
    index: "/home/joe/index",
  });
  assert.throws(() => expandLocation("maildir:~/Maildir:INDEX=~/index", joe), { code: "usage" });
  assert.throws(() => expandLocation("maildir:~/Maildir:LAYOUT=fs", joe), { code: "usage" });
  assert.throws(() => expandLocation("maildir:/srv/%n", { user: "../../etc@example.org", home: "/" }), {
    code: "refused",
  });
});

test("the folder is the one given, else the environment's, else root's or the user's own", () => {
  const env = { HOLDFAST_MAIL: "/srv/mail", HOME: "/home/joe" };
  assert.equal(mailFolder("/a", env, true), "/a");
  assert.equal(mailFolder(undefined, env, true), "/srv/mail");
  assert.equal(mailFolder(undefined, {}, true), "/etc/holdfast/mail");
  assert.equal(mailFolder(undefined, { HOME: "/home/joe" }, false), "/home/joe/.config/holdfast/mail");
});
