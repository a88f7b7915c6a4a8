/** Where fetched mail goes, and that fetchmail with the same file comes to the same. */
import assert from "node:assert/strict";
import { once } from "node:events";
import * as fs from "node:fs";
import { after, before, suite, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { startHoldfast, transcriptOf } from "../cli/run-holdfast.ts";
import { skipDovecot, startDovecot } from "./dovecot.ts";
import { fetchScene, numbered, type DovecotScene } from "./fetch-scene.ts";
import { runPeer } from "./peer.ts";

suite("where fetched mail goes", { skip: skipDovecot("openssl", "fetchmail", "procmail") }, () => {
  let scene: DovecotScene;
  before(async () => {
    scene = await fetchScene();
  });
  after(async () => {
    await scene[Symbol.asyncDispose]();
  });

  for (const protocol of ["pop3", "imap"] as const) {
    test(`fetchmail with the same file delivers the same, by ${protocol}`, () => {
      const messages = [...numbered("joe", 0, 3), oddMessage("")];
      const box = (who: string): string => scene.at(`same-${protocol}-${who}`);
      const file = (who: string): string => scene.classicFile(protocol, `mda "cat >>${box(who)}-%T"`);
      return inOrder([
        () => scene.put("joe", messages),
        () =>
          runPeer("fetchmail", ["-s", "-f", file("fetchmail"), "--pidfile", scene.at("pid")], {
            env: { HOME: scene.at() },
          }),
        () => assert.equal(scene.left("joe"), 0),
        () => scene.put("joe", messages),
        async () => assert.equal((await scene.fetch("-f", file("holdfast"), "localhost")).status, 0),
        () => assert.equal(scene.left("joe"), 0),
        () => assert.equal(withoutReceived(`${box("holdfast")}-joe`), withoutReceived(`${box("fetchmail")}-joe`)),
      ]);
    });
  }

  test("what the sender wrote is never more than a word of the command", async () => {
    const sender = "$(touch${IFS}pwned)`touch${IFS}pwned`';touch${IFS}pwned;'@example.com";
    scene.put("joe", [oddMessage(`Return-Path: <${sender}>\n`)]);
    const file = scene.classicFile("pop3", `mda "cd ${scene.at()}; echo %F >from; cat >odd-%T"`);
    const { status, stderr } = await scene.fetch("-f", file);
    assert.equal(status, 0, stderr);
    assert.equal(fs.readFileSync(scene.at("from"), "utf8"), `${sender.replaceAll("'", "")}\n`);
    assert.equal(fs.existsSync(scene.at("pwned")), false);
  });

  test("a program that does not take a message leaves it on the server; the others come", async () => {
    scene.put("joe", numbered("joe", 10, 13));
    const file = scene.classicFile(
      "imap",
      `mda "tee ${scene.at("took")} | grep -q joe-11 && exit 75; cat ${scene.at("took")} >>${scene.at("taken")}"`,
    );
    const { status, stderr } = await scene.fetch("-f", file);
    assert.equal(status, 1);
    assert.match(stderr, /cannot give a message to .* it ended with status 75/);
    assert.equal(scene.left("joe"), 1);
    assert.match(fs.readFileSync(scene.at("taken"), "utf8"), /joe-10[^]*joe-12/);
    await scene.fetch("-f", scene.classicFile("imap"), "--deliver", "pipe:cat >/dev/null");
  });

  test("LMTP to Dovecot", async () => {
    await using other = await startDovecot({ protocols: ["lmtp"], users: { joe: "secret" } });
    scene.put("joe", numbered("joe", 20, 25));
    const file = scene.classicFile("pop3", `lmtp smtphost "${other.lmtpSocket}"`);
    const { status, stderr } = await scene.fetch("-f", file);
    assert.equal(status, 0, stderr);
    assert.equal(scene.left("joe"), 0);
    const folder = `${other.home("joe")}/Maildir/new`;
    const texts = fs.readdirSync(folder).map((name) => fs.readFileSync(`${folder}/${name}`, "utf8"));
    assert.equal(texts.length, 5);
    for (const text of texts) {
      const [, word] = /^Subject: (joe-2\d)$/m.exec(text) ?? [];
      assert.match(
        text,
        new RegExp(
          `^Return-Path: <s@example.com>$[^]*\nFrom the first line on\n\\.\n\\.\\.dots\n[^]*end ${word}\n$`,
          "m",
        ),
      );
    }
    scene.put("joe", numbered("joe", 25, 26));
    const unknown = await scene.fetch("-f", file, "--deliver", `lmtp:${scene.at("nobody")}`);
    assert.equal(unknown.status, 1);
    assert.equal(scene.left("joe"), 1);
    await scene.fetch("-f", file);
  });

  test("a message of 20 MiB, whole, in bounded memory", async () => {
    const large = `Subject: large\n\n${"From the start of a line to its end, forty bytes\n".repeat(430_000)}end`;
    scene.put("joe", [large, ...numbered("joe", 40, 41)]);
    const file = scene.classicFile("pop3");
    const deliver = `mbox:${scene.at("large")}-%T`;
    const child = startHoldfast(["mail", "fetch", "-f", file, "--deliver", deliver], {
      HOME: scene.at(),
      XDG_STATE_HOME: scene.at("state"),
    });
    const { status, stderr } = await transcriptOf(child);
    assert.equal(status, 0, stderr);
    const text = fs.readFileSync(`${scene.at("large")}-joe`, "latin1");
    assert.ok(text.includes(large.slice(16).replaceAll(/^From /gm, ">From ")));
    assert.match(text.slice(-2000), /end joe-40\n\n$/);
    scene.put("joe", [large]);
    const second = await scene.fetch(
      "-f",
      scene.classicFile("imap"),
      "--deliver",
      `maildir:${scene.at("large-maildir")}`,
    );
    assert.equal(second.status, 0, second.stderr);
    const [name = ""] = fs.readdirSync(scene.at("large-maildir", "new"));
    assert.ok(fs.readFileSync(scene.at("large-maildir", "new", name), "latin1").endsWith(large));
  });

  test("mail comes when it comes, with IDLE, until it is ended", async () => {
    const box = scene.at("idle");
    const words = ["mail", "fetch", "-f", scene.classicFile("imap"), "--deliver", `mbox:${box}-%T`, "--idle"];
    const child = startHoldfast(words, { HOME: scene.at(), XDG_STATE_HOME: scene.at("state") });
    const ended = transcriptOf(child);
    for (const number of [30, 31]) {
      scene.put("joe", numbered("joe", number, number + 1));
      while (!has(`${box}-joe`, `end joe-${number}\n`)) {
        assert.equal(child.exitCode, null, "it ended early");
        await setTimeout(50);
      }
    }
    const second = await scene.fetch("-f", scene.classicFile("imap"), "--deliver", `mbox:${box}-%T`);
    assert.equal(second.status, 4);
    assert.match(second.stderr, /another run is doing so/);
    child.kill("SIGTERM");
    const { status, stderr } = await ended;
    assert.equal(status, 0, stderr);
    assert.equal(scene.left("joe"), 0);
    if (child.exitCode === null) await once(child, "exit");
  });
});

async function inOrder(steps: readonly (() => unknown)[]): Promise<void> {
  for (const step of steps) await step();
}

function has(file: string, text: string): boolean {
  return fs.existsSync(file) && fs.readFileSync(file, "latin1").includes(text);
}

/** Without the line that each program adds of its own, which begins a message. */
function withoutReceived(file: string): string {
  return fs.readFileSync(file, "latin1").replaceAll(/^Received: from localhost [^]*?\(single-drop\);.*\n/gm, "--\n");
}

/** Bytes that are not ASCII, a long line, header fields that are folded or empty, no line end at the end. */
function oddMessage(first: string): string {
  const header = `${first}From: "A B" <a@example.com>,\n\tother@example.com\nStatus: \nX-Empty:\nSubject: odd\n\tfolded\n`;
  return `${header}\nümlaut\n${"long".repeat(200)}\n\n.\n..\nFrom me\n>From you\nlast line`;
}
