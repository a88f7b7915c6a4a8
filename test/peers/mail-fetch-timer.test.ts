/** `mail fetch --install-timer`: systemd understands the units, cron gets entries that can be taken away again. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { runHoldfast } from "../cli/run-holdfast.ts";
import { temporaryFolder } from "../temp.ts";
import { runPeer, skipWithout } from "./peer.ts";

const words = ["mail", "fetch", "--install-timer", "--deliver", "mbox:/var/mail/%T", "--file"];

test(
  "systemd finds nothing wrong with the units, and they go again",
  { skip: skipWithout("systemd-analyze") },
  async () => {
    await using folder = temporaryFolder();
    const file = folder.join(`it's 100% "$HOME"`);
    const { status, stderr } = await runHoldfast([...words, file, "--output", folder.join("units"), "--every", "5m"]);
    assert.equal(status, 0, stderr);
    const names = fs.readdirSync(folder.join("units"));
    assert.deepEqual(names, ["holdfast-mail-fetch-it-s-100-HOME.service", "holdfast-mail-fetch-it-s-100-HOME.timer"]);
    const files = names.map((name) => folder.join("units", name));
    assert.equal(runPeer("systemd-analyze", ["verify", ...files]), "");
    const [service = "", timer = ""] = files.map((unit) => fs.readFileSync(unit, "utf8"));
    assert.match(
      service,
      /^ExecStart=.* mail fetch --once --file "\S+\/it's 100%% \\"\$\$HOME\\"" --deliver mbox:\/var\/mail\/%%T$/m,
    );
    assert.match(timer, /^OnUnitInactiveSec=300s$/m);
    const removal = ["mail", "fetch", "--remove-timer", "--file", file, "--output", folder.join("units")];
    assert.equal((await runHoldfast(removal)).status, 0);
    assert.deepEqual(fs.readdirSync(folder.join("units")), []);
  },
);

test("cron gets an entry for as often as it can count", async () => {
  await using folder = temporaryFolder();
  const file = folder.join("fetchmailrc");
  const cron = [...words, file, "--cron", "--output", folder.path];
  assert.equal((await runHoldfast([...cron, "--every", "15m"])).status, 0);
  const text = fs.readFileSync(folder.join("holdfast-mail-fetch-fetchmailrc"), "utf8");
  assert.match(
    text,
    /^\*\/15 \* \* \* \* (?:root )?\S+ .*mail fetch --once --file \S+fetchmailrc --deliver mbox:\/var\/mail\/\\%T >\/dev\/null$/m,
  );
  const { status, stderr } = await runHoldfast([...cron, "--every", "7m"]);
  assert.equal(status, 2);
  assert.match(stderr, /it counts in parts of an hour or of a day/);
});
