/** What words for places, lists of known hosts and settings of SSH mean. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { parseRemotePlace } from "../../../src/backup/store/place.ts";
import { s3Settings } from "../../../src/backup/store/s3/settings.ts";
import { fingerprintOf, knownKeysOf } from "../../../src/backup/store/sftp/known-hosts.ts";
import { hostSettings } from "../../../src/backup/store/sftp/ssh-config.ts";
import { parseBackupPlace } from "../../../src/cli/backup/place-in-backup.ts";
import { temporaryFolder } from "../../temp.ts";

test("places on other machines are told from paths", () => {
  for (const path of ["/a", "sftp:", "sftp:/a", "a/sftp://b", "http://host/a", "C:\\a"]) {
    assert.equal(parseRemotePlace(path), undefined, path);
  }
  assert.deepEqual(parseRemotePlace("SFTP://anna@Vault:2222/srv/b%20c//"), {
    scheme: "sftp",
    user: "anna",
    host: "Vault",
    port: 2222,
    path: "srv/b c",
    name: "SFTP://anna@Vault:2222/srv/b%20c",
  });
  assert.deepEqual(parseRemotePlace("sftp://[fe80::1%eth0]/~/b"), {
    scheme: "sftp",
    host: "fe80::1%eth0",
    path: "~/b",
    name: "sftp://[fe80::1%eth0]/~/b",
  });
  assert.equal(parseRemotePlace("sftp://h/100%")?.path, "100%");
  for (const word of ["sftp://", "sftp:///a", "sftp://h:0/a", "sftp://h:65536/a", "sftp://h:x/a", "sftp://[::1/a"]) {
    assert.throws(() => parseRemotePlace(word), /cannot understand the place/, word);
  }
});

test("keys and address of a bucket are found where Amazon's programs look", async () => {
  await using home = temporaryFolder();
  const settings = (env: NodeJS.ProcessEnv, more = {}) =>
    s3Settings("b", { env: { HOME: home.path, ...env }, ...more }, "s3://b");
  const keys = { AWS_ACCESS_KEY_ID: "A", AWS_SECRET_ACCESS_KEY: "S" };
  assert.throws(() => settings({}), /there are no keys of an account/);
  assert.throws(() => settings({ ...keys, AWS_SESSION_TOKEN: "T" }), /those of a session/);
  assert.deepEqual(settings(keys), {
    endpoint: "https://s3.us-east-1.amazonaws.com/b",
    region: "us-east-1",
    accessKeyId: "A",
    secretAccessKey: "S",
  });
  fs.mkdirSync(home.join(".aws"));
  fs.writeFileSync(
    home.join(".aws", "credentials"),
    "[default]\naws_access_key_id = one\naws_secret_access_key = 1\n[other]\naws_access_key_id=two\naws_secret_access_key=2=\n",
  );
  fs.writeFileSync(
    home.join(".aws", "config"),
    "[profile other]\nregion = eu-1\nendpoint_url = https://store.example/\n",
  );
  assert.equal(settings({}).accessKeyId, "one");
  const other = { endpoint: "https://store.example/b", region: "eu-1", accessKeyId: "two", secretAccessKey: "2=" };
  assert.deepEqual(settings({ AWS_PROFILE: "other" }), other);
  assert.equal(settings({ AWS_PROFILE: "other" }, { region: "eu-2" }).region, "eu-2");
  assert.throws(() => settings(keys, { endpoint: "store.example" }), /cannot understand the endpoint/);
});

test("a place in a backup elsewhere is divided behind the host", () => {
  const image = "sftp://anna@vault:2222/srv/b";
  assert.deepEqual(parseBackupPlace(image), { image });
  assert.deepEqual(parseBackupPlace(`${image}:2/etc`), { image, partition: 2, path: "/etc" });
  assert.deepEqual(parseBackupPlace(`${image}:/etc/a:1/b`), { image, path: "/etc/a:1/b" });
});

const [key, other] = [Buffer.alloc(51, 1), Buffer.alloc(51, 2)];
for (const one of [key, other]) {
  one.writeUInt32BE(11);
  one.write("ssh-ed25519", 4, "latin1");
}
const line = `ssh-ed25519 ${key.toString("base64")}`;

test("known hosts are found by name, port, pattern and hash", () => {
  const judged = (text: string, host: string, port = 22): string => knownKeysOf([text], host, port).judge(key);
  assert.equal(judged(`vault ${line} a comment`, "vault"), "known");
  assert.equal(judged(`vault,10.0.0.1 ${line}`, "10.0.0.1"), "known");
  assert.equal(judged(`vault ${line}`, "vault", 2222), "unknown");
  assert.equal(judged(`[vault]:2222 ${line}`, "VAULT", 2222), "known");
  assert.equal(judged(`*.lan,!bad.lan ${line}`, "a.lan"), "known");
  assert.equal(judged(`*.lan,!bad.lan ${line}`, "bad.lan"), "unknown");
  assert.equal(judged(`axlan ${line}`, "a.lan"), "unknown");
  assert.equal(judged(`vault ssh-ed25519 ${other.toString("base64")}`, "vault"), "changed");
  assert.equal(judged(`vault ssh-rsa ${Buffer.from("AAAAB3").toString("base64")}`, "vault"), "unknown");
  assert.equal(judged(`vault ${line}\n@revoked vault ${line}`, "vault"), "revoked");
  assert.equal(judged(`@cert-authority vault ${line}`, "vault"), "unknown");
  for (const broken of [
    "",
    "#",
    "vault",
    "vault ssh-ed25519",
    "|1|x vault",
    `|1|a|b ${line}`,
    `|2|a|b ${line}`,
    "((( a b",
  ]) {
    assert.equal(judged(broken, "vault"), "unknown", broken);
  }
  assert.match(fingerprintOf(key), /^SHA256:[A-Za-z0-9+/]{43}$/);
});

test("of each setting of SSH the first one that is meant counts", () => {
  const text = `
    Host vault !other
      HostName %h.example.org
      Port=2222
    Match user anna
      User nobody
    Host *
      User "anna b"
      Port 22
      IdentityFile ~/one
      IdentityFile ~/two
  `;
  assert.deepEqual(hostSettings(text, "vault"), {
    hostName: "vault.example.org",
    user: "anna b",
    port: 2222,
    identityFiles: ["~/one", "~/two"],
  });
  assert.deepEqual(hostSettings("Port x\nHost none\nUser a", "vault"), { identityFiles: [] });
});
