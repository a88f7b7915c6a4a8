import assert from "node:assert/strict";
import * as fs from "node:fs";
import { suite, test } from "node:test";
import { Failure } from "../../src/base/index.ts";
import { parseNetrc } from "../../src/mail/fetch/netrc.ts";
import { readAccounts, type AccountsRequest } from "../../src/mail/fetch/read-accounts.ts";
import { commandFor } from "../../src/mail/fetch/targets/pipe-target.ts";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";

function request(folder: TemporaryFolder, name: string, text: string, mode = 0o600): AccountsRequest {
  const file = folder.join(name);
  fs.writeFileSync(file, text);
  fs.chmodSync(file, mode);
  return {
    file,
    servers: [],
    keeps: false,
    idles: false,
    folder: folder.path,
    env: { HOME: folder.path, USER: "joe" },
    askPassword: async () => undefined,
  };
}

async function refusalOf(asked: AccountsRequest): Promise<Failure> {
  try {
    await readAccounts(asked);
  } catch (error) {
    assert.ok(error instanceof Failure);
    return error;
  }
  return assert.fail("it was read");
}

suite("accounts of a .fetchmailrc", () => {
  test("a file that others may read is refused, and one that is not there", async () => {
    await using folder = temporaryFolder();
    const text = "poll a proto pop3 user joe pass x";
    for (const mode of [0o640, 0o604, 0o620, 0o711]) {
      const { code, hint } = await refusalOf(request(folder, "rc", text, mode));
      assert.equal(code, "refused");
      assert.match(hint ?? "", /^chmod go= /);
    }
    assert.equal((await readAccounts(request(folder, "rc", text, 0o700))).accounts.length, 1);
    assert.equal((await refusalOf({ ...request(folder, "rc", text), file: folder.join("none") })).code, "not-found");
  });

  const notFollowed: Readonly<Record<string, RegExp>> = {
    "poll a proto imap user b pass c\n  plugin x": /line 2: "plugin" belongs to the server/,
    'poll a proto imap\n plugin "nc %h %p"\nuser b pass c': /line 2: "plugin" is not one of this program's options/,
    "poll a user b pass c": /line 1: the protocol "auto" is not one of this program/,
    "poll a proto imap\nuser b pass c\nis d e here": /line 2: one mailbox for several users/,
    "poll a proto imap user b pass c\nmimedecode": /line 2: "mimedecode"/,
    "poll a proto imap user b pass c\nrewrite": /line 2: "rewrite"/,
    "set no softbounce\npoll a proto imap user b pass c": /line 1: "no softbounce"/,
    "poll a proto imap auth ntlm user b pass c": /auth ntlm/,
    'poll a proto pop3 service "gopher" user b pass c': /"gopher" is no port/,
    "poll a proto pop3 user b pass c sslproto ssl3": /sslproto ssl3/,
    "poll a proto pop3 user b pass c\nlmtp": /line 2: LMTP has no usual port/,
    'poll a proto pop3 user b pass "c\\"e"': /line 1: a word begins with " and does not end/,
    "poll a proto pop3\nuser b\nfrob": /line 3: "frob": not an option that is known/,
  };
  for (const [text, says] of Object.entries(notFollowed)) {
    test(`what is not followed is an error that names the line: ${JSON.stringify(text)}`, async () => {
      await using folder = temporaryFolder();
      const failure = await refusalOf(request(folder, "rc", text));
      assert.match(failure.message, says);
    });
  }

  test("what fetchmailconf writes is followed", async () => {
    await using folder = temporaryFolder();
    const text = `set postmaster "joe"
set bouncemail
set no spambounce
set softbounce
set properties ""
set daemon 90
poll mail.example.org with proto IMAP and options uidl
  user 'joe' there with password 'x' is 'joe' here options ssl no rewrite sslproto "" sslcertck warnings 3600 antispam 0
skip other proto POP3 user b`.replace(" antispam 0", "");
    const { accounts, everyMs } = await readAccounts(request(folder, "rc", text));
    assert.equal(everyMs, 90_000);
    assert.deepEqual(
      accounts.map(({ name, port, tls, localUser, destination }) => [
        name,
        port,
        tls.mode,
        localUser,
        destination.kind,
      ]),
      [["joe@mail.example.org", 993, "implicit", "joe", "smtp"]],
    );
  });

  test("passwords come from the file, else from .netrc, else from whoever is asked", async () => {
    await using folder = temporaryFolder();
    fs.writeFileSync(folder.join(".netrc"), 'machine other login b password no\nmachine a login b password "net rc"\n');
    const text = "poll a proto pop3 user b is joe here user c is joe here user d pass in-file is joe here";
    const asked: string[] = [];
    const askPassword = async (account: string): Promise<string> => (asked.push(account), "typed");
    const { accounts } = await readAccounts({ ...request(folder, "rc", text), askPassword });
    assert.deepEqual(
      accounts.map(({ password }) => password),
      ["net rc", "typed", "in-file"],
    );
    assert.deepEqual(asked, ["c@a"]);
    assert.match((await refusalOf(request(folder, "rc", text))).message, /cannot log in as c@a: there is no password/);
  });

  test("only servers that are named, those that are skipped too", async () => {
    await using folder = temporaryFolder();
    const asked = request(folder, "rc", "poll a proto pop3 user b pass x skip c proto pop3 user d pass x");
    assert.deepEqual(
      (await readAccounts(asked)).accounts.map(({ name }) => name),
      ["b@a"],
    );
    assert.deepEqual(
      (await readAccounts({ ...asked, servers: ["c"] })).accounts.map(({ name }) => name),
      ["d@c"],
    );
    assert.match((await refusalOf({ ...asked, servers: ["e"] })).hint ?? "", /it has a, c/);
  });
});

suite("accounts in TOML", () => {
  test("what one says holds over what is usual", async () => {
    await using folder = temporaryFolder();
    const text = `every = "5m"
[usual]
server = "mail.example.org"
certificate = "joe.pem"
password = "x"
[[account]]
user = "joe"
deliver = "maildir:~/Maildir"
[[account]]
user = "pat"
protocol = "pop3"
keep = true
deliver = "mbox:/var/mail/%T"
local_user = "patrick"`;
    const { accounts, everyMs } = await readAccounts(request(folder, "fetch.toml", text));
    assert.equal(everyMs, 300_000);
    const [joe, pat] = accounts;
    assert.deepEqual(joe?.destination, { kind: "maildir", path: folder.join("Maildir") });
    assert.equal(joe?.tls.certificateFile, folder.join("joe.pem"));
    assert.deepEqual([joe?.port, pat?.port, pat?.keeps], [993, 995, true]);
    assert.deepEqual(pat?.destination, { kind: "mbox", path: "/var/mail/patrick" });
  });

  test("what is wrong is named with its line", async () => {
    await using folder = temporaryFolder();
    const text = '[[account]]\nserver = "a"\npassword = "x"\ndelivery = "mbox:x"';
    assert.match((await refusalOf(request(folder, "a.toml", text))).message, /line 4.*delivery.*no such key/);
    assert.equal((await refusalOf(request(folder, "a.toml", text, 0o644))).code, "refused");
  });
});

test("a .netrc may have macros, comments, and a default", () => {
  const text =
    "machine a login b password c\nmacdef init\nmachine evil login b password no\n\n# machine x\ndefault login d passwd e\n";
  assert.deepEqual(parseNetrc(text), [
    { machine: "a", login: "b", password: "c" },
    { login: "d", password: "e" },
  ]);
});

test("what is put into a command is one word each", () => {
  const hostile = { from: "a'; rm -rf /; '@x", recipient: "$(id)" };
  assert.equal(commandFor("deliver -f %F -- %T %%", hostile), "deliver -f 'a; rm -rf /; @x' -- '$(id)' %");
});
