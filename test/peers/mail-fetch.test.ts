import assert from "node:assert/strict";
import * as fs from "node:fs";
import { after, before, suite, test } from "node:test";
import { fetchScene, numbered, type FetchProtocol, type DovecotScene } from "./fetch-scene.ts";
import { skipDovecot } from "./dovecot.ts";
import { makeTestPki } from "./test-pki.ts";

const protocols: readonly FetchProtocol[] = ["pop3", "imap"];

suite("mail fetch from Dovecot", { skip: skipDovecot("openssl") }, () => {
  let scene: DovecotScene;
  before(async () => {
    scene = await fetchScene();
  });
  after(async () => {
    await scene[Symbol.asyncDispose]();
  });

  for (const protocol of protocols) {
    test(`the classic file of two users, by ${protocol}, into an mbox each`, async () => {
      for (const user of ["joe", "patrick"]) scene.put(user, numbered(user, 0, 30));
      const file = scene.classicFile(protocol);
      const box = (user: string): string => scene.at(`${protocol}-${user}`);
      const first = await scene.fetch("-f", file, "--deliver", `mbox:${scene.at(`${protocol}-%T`)}`, "--json");
      assert.equal(first.status, 0, first.stderr);
      assert.equal((JSON.parse(first.stdout) as { fetched: number }).fetched, 60);
      for (const user of ["joe", "patrick"]) {
        assert.equal(scene.left(user), 0);
        const text = fs.readFileSync(box(user), "latin1");
        assert.deepEqual(
          subjectsOf(text),
          numbered(user, 0, 30).map((_, n) => `${user}-${n}`),
        );
        // Whole, as they were but for what was put in front, and what an mbox must quote.
        for (const message of numbered(user, 0, 30))
          assert.ok(text.includes(message.replace("\nFrom the", "\n>From the")));
        assert.match(
          text,
          new RegExp(`^Received: from localhost \\[127.0.0.1\\]\n\tby \\S+ with ${protocol.toUpperCase()} `, "m"),
        );
      }
      const again = await scene.fetch("-f", file, "--deliver", `mbox:${scene.at(`${protocol}-%T`)}`, "--json");
      assert.equal((JSON.parse(again.stdout) as { fetched: number }).fetched, 0);
      assert.equal(subjectsOf(fs.readFileSync(box("joe"), "latin1")).length, 30);
    });

    test(`without its certificate, or with one of another CA, nothing comes by ${protocol}`, async () => {
      scene.put("joe", numbered("joe", 100, 101));
      const other = makeTestPki(scene.at("other"), "other").user("joe");
      const login = `poll localhost proto ${protocol} service ${scene.port(protocol)} user joe pass secret ssl sslcertfile "${scene.pki.ca}"`;
      const deliver = ["--deliver", `mbox:${scene.at("none")}`];
      const without = await scene.fetch("-f", scene.writeFile(login), ...deliver);
      assert.equal(without.status, 1, without.stdout);
      const file = scene.writeFile(`${login} sslcert ${other.certificate} sslkey ${other.key}`);
      const withOther = await scene.fetch("-f", file, ...deliver);
      assert.equal(withOther.status, 1);
      assert.match(withOther.stderr, /joe@localhost: cannot/);
      assert.equal(fs.existsSync(scene.at("none")), false);
      assert.equal(scene.left("joe"), 1);
    });

    test(`a server that is not the right one is refused by ${protocol}`, async () => {
      const { certificate, key } = scene.pki.user("joe");
      const login = `poll localhost proto ${protocol} service ${scene.port(protocol)} user joe pass secret ssl sslcert ${certificate} sslkey ${key}`;
      const other = makeTestPki(scene.at("other"), "other");
      const wrongCa = await scene.fetch("-f", scene.writeFile(`${login} sslcertfile ${other.ca}`));
      assert.equal(wrongCa.status, 4);
      assert.match(wrongCa.stderr, /its CA is not one of those that are trusted/);
      const fingerprint = await scene.fetch("-f", scene.writeFile(`${login} no sslcertck sslfingerprint "AA:BB"`));
      assert.equal(fingerprint.status, 4);
      const [, known = ""] = /its fingerprint is ([0-9A-F]{64})/.exec(fingerprint.stderr) ?? [];
      const known256 = scene.writeFile(`${login} no sslcertck sslfingerprint "${known}"`);
      const right = await scene.fetch("-f", known256, "--deliver", `mbox:${scene.at("right")}`);
      assert.equal(right.status, 0, right.stderr);
    });
  }
});

function subjectsOf(mbox: string): readonly string[] {
  return [...mbox.matchAll(/^Subject: (.*)$/gm)].map(([, subject = ""]) => subject);
}
