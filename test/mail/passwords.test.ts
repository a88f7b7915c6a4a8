/** Passwords as files have them: what is read, what counts, and that nothing shows who is there. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { after, test } from "node:test";
import {
  canVerify,
  hashPassword,
  parseStored,
  readPasswdFile,
  UserDirectory,
  verifyPassword,
} from "../../src/mail/passwords/index.ts";
import { temporaryFolder } from "../temp.ts";

const folder = temporaryFolder();
after(() => folder[Symbol.asyncDispose]());
fs.mkdirSync(folder.join("example.org"));
const passwd = folder.join("example.org/imap.passwd");
const shadow = folder.join("example.org/imap.shadow");
const users = new UserDirectory(folder.path, ["example.org"], Date.now);

async function why(user: string, password: string, address = "192.0.2.1"): Promise<string> {
  const check = await users.check(user, password, { remoteAddress: address, isShown: true });
  return check.isRight ? "right" : check.why;
}

test("fields and extra fields of a passwd-file", () => {
  const entries = readPasswdFile(
    "# joe:x\n\njoe:{PLAIN}one:1000:100:Joe:/home/joe:/bin/sh:userdb_mail=mbox:~/mail allow_nets=::1 nologin\njoe:{PLAIN}two\nroot:x:root:root\nanna:y\r\n",
  );
  assert.deepEqual([...entries.keys()], ["joe", "anna"]);
  assert.deepEqual(entries.get("joe"), {
    user: "joe",
    password: "{PLAIN}one",
    uid: 1000,
    gid: 100,
    home: "/home/joe",
    extra: new Map([
      ["userdb_mail", "mbox:~/mail"],
      ["allow_nets", "::1"],
      ["nologin", ""],
    ]),
  });
  assert.deepEqual(entries.get("anna"), { user: "anna", password: "y", extra: new Map() });
});

test("users of a domain, with and without it in their names; the file is read again when it changes", async () => {
  fs.writeFileSync(passwd, "joe:{PLAIN}one\nanna@example.org:{PLAIN}two\n");
  assert.equal(await why("joe@example.org", "one"), "right");
  assert.equal(await why("Anna@Example.org", "two"), "right");
  assert.equal(await why("joe@example.org", "two"), "wrong password");
  assert.equal(await why("eve@example.org", "one"), "unknown user");
  assert.equal(await why("joe@example.com", "one"), "unknown user");
  assert.equal(await why("joe", "one"), "unknown user");
  fs.writeFileSync(passwd, "joe:{PLAIN}changed\n");
  assert.equal(await why("joe@example.org", "changed"), "right");
  assert.equal(await why("joe@example.org", "one"), "wrong password"); // right a moment ago, and not remembered
});

test("passwords are in imap.shadow where there is one, and whoever is not in both is not there", async () => {
  fs.writeFileSync(passwd, "joe:{PLAIN}old:1000:1000::/home/joe\nanna:{PLAIN}old\n");
  fs.writeFileSync(shadow, "joe:{PLAIN}new\neve:{PLAIN}new\n");
  assert.equal(await why("joe@example.org", "old"), "wrong password");
  assert.equal(await why("joe@example.org", "new"), "right");
  assert.equal(await why("anna@example.org", "old"), "unknown user");
  assert.equal(await why("eve@example.org", "new"), "unknown user");
  assert.equal(users.find("joe@example.org")?.home, "/home/joe");
  fs.rmSync(shadow);
});

test("nopassword, nologin, allow_nets and no password at all", async () => {
  fs.writeFileSync(
    passwd,
    "any::::::::nopassword\nboth:{PLAIN}x::::::nopassword\nnone:\nout:{PLAIN}x::::::nologin\nnear:{PLAIN}x::::::allow_nets=10.0.0.0/8,fd00::/8\nodd:{ROT13}x\n".replace(
      "any::::::::",
      "any:::::::",
    ),
  );
  assert.equal(await why("any@example.org", "whatever"), "right");
  assert.equal(await why("both@example.org", "whatever"), "wrong password");
  assert.equal(await why("none@example.org", ""), "no password set");
  assert.equal(await why("out@example.org", "x"), "nologin is set");
  assert.equal(await why("near@example.org", "x"), "address not in allow_nets");
  for (const address of ["10.1.2.3", "::ffff:10.1.2.3", "fd00::1"]) {
    assert.equal(await why("near@example.org", "x", address), "right", address);
  }
  assert.equal(await why("odd@example.org", "x"), "unknown password scheme ROT13");
});

test("what this program stores it reads; what is damaged fits no password", async () => {
  const stored = parseStored(await hashPassword("sécret"));
  assert.equal(await verifyPassword("sécret", stored), true);
  assert.equal(await verifyPassword("secret", stored), false);
  const damaged = [
    "",
    "*",
    "!",
    "$6$",
    "{ARGON2ID}$argon2id$v=19$m=1,t=1,p=1$AAAA$AAAA",
    "{ARGON2ID}$argon2id$v=19$m=999999999,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAA",
    "{PBKDF2}$1$salt$99999999$00",
    "{SCRAM-SHA-1}4096,",
    "{SSHA}5en6G6MezRroT3XKqkdPOmY/BfQ=",
    "{SHA}x",
    "{SHA512-CRYPT.hex}zz",
  ];
  for (const text of damaged) {
    const one = parseStored(text);
    assert.equal(canVerify(one) && (await verifyPassword("secret", one)), false, text);
  }
});
