/** `backup install-timer`: systemd understands what is written, the shell starts what cron is told, and all of it goes again. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { runHoldfast } from "../cli/run-holdfast.ts";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";
import { runPeer, skipWithout } from "./peer.ts";

const skip = skipWithout("systemd-analyze");

/** A plan of a name and a place that have to be quoted everywhere. */
function planIn(folder: TemporaryFolder, ...lines: readonly string[]): string {
  const home = folder.join(`it's 100% "$HOME"`);
  fs.mkdirSync(home);
  const plan = `${home}/my plan.toml`;
  const job = ["[[job]]", 'name = "a"', 'source = "nowhere"', 'target = "nowhere"', ...lines];
  fs.writeFileSync(plan, job.join("\n"));
  return plan;
}

/** A program that writes down how it was called, and what it read. */
function recorder(folder: TemporaryFolder, name: string, script = ""): string {
  const file = folder.join("bin", name);
  fs.mkdirSync(folder.join("bin"), { recursive: true });
  fs.writeFileSync(file, `#!/bin/sh\necho ${name} "$@" >> ${folder.join("calls")}\n${script}\n`, { mode: 0o755 });
  return `${folder.join("bin")}:${process.env["PATH"] ?? ""}`;
}

for (const [what, lines] of [
  ["a plan without commands", []],
  ["a plan with commands", ['before = "true"']],
  ["a plan with a snapshot", ["snapshot = true"]],
] as const) {
  test(`systemd finds nothing wrong with the units of ${what}`, { skip }, async () => {
    await using folder = temporaryFolder();
    const plan = planIn(folder, ...lines);
    const units = folder.join("units");
    const words = ["backup", "install-timer", plan, "--output", units, "--at", "Mon *-*-* 12:30"];
    const { status, stderr } = await runHoldfast(words);
    assert.equal(status, 0, stderr);
    assert.deepEqual(fs.readdirSync(units), ["holdfast-backup-my-plan.service", "holdfast-backup-my-plan.timer"]);
    const files = fs.readdirSync(units).map((name) => `${units}/${name}`);
    assert.equal(runPeer("systemd-analyze", ["verify", ...files]), "");
    const service = fs.readFileSync(files[0]!, "utf8");
    assert.match(service, /^Nice=19$/m);
    assert.match(service, /^IOSchedulingClass=idle$/m);
    assert.equal(/^ProtectSystem=strict$/m.test(service), process.getuid?.() === 0 && lines.length === 0);
    const timer = fs.readFileSync(files[1]!, "utf8");
    assert.match(timer, /^OnCalendar=Mon \*-\*-\* 12:30$/m);
    assert.match(timer, /^Persistent=true$/m);
    const removed = await runHoldfast(["backup", "install-timer", plan, "--output", units, "--remove"]);
    assert.equal(removed.status, 0, removed.stderr);
    assert.deepEqual(fs.readdirSync(units), []);
  });
}

test("what systemd does not understand is refused before anything is written", { skip }, async () => {
  await using folder = temporaryFolder();
  const words = ["backup", "install-timer", planIn(folder), "--output", folder.join("units"), "--at", "whenever"];
  const { status, stderr } = await runHoldfast(words);
  assert.equal(status, 2);
  assert.match(stderr, /systemd does not understand that/);
  assert.equal(fs.existsSync(folder.join("units")), false);
});

test("a plan with a mistake gets no timer", async () => {
  await using folder = temporaryFolder();
  const plan = planIn(folder, "keep_dialy = 1");
  const { status, stderr } = await runHoldfast(["backup", "install-timer", plan, "--output", folder.join("units")]);
  assert.equal(status, 2);
  assert.match(stderr, /keep_dialy: there is no such key/);
});

test("a user's timer is written, enabled, and removed; a dry run does none of it", { skip }, async () => {
  await using folder = temporaryFolder();
  const plan = planIn(folder);
  const PATH = recorder(folder, "systemctl");
  const env = { PATH, XDG_CONFIG_HOME: folder.join("config") };
  const units = folder.join("config/systemd/user");
  const words = ["backup", "install-timer", plan, "--user", "--systemd"];
  const dry = await runHoldfast([...words, "--dry-run"], env);
  assert.equal(dry.status, 0, dry.stderr);
  assert.match(dry.stdout, /^write: .*holdfast-backup-my-plan\.timer$/m);
  assert.equal(fs.existsSync(units), false);
  assert.equal((await runHoldfast(words, env)).status, 0);
  assert.equal(fs.readdirSync(units).length, 2);
  assert.equal((await runHoldfast([...words, "--remove"], env)).status, 0);
  assert.deepEqual(fs.readdirSync(units), []);
  assert.deepEqual(fs.readFileSync(folder.join("calls"), "utf8").trim().split("\n"), [
    "systemctl --user daemon-reload",
    "systemctl --user enable --now holdfast-backup-my-plan.timer",
    "systemctl --user disable --now holdfast-backup-my-plan.timer",
    "systemctl --user daemon-reload",
  ]);
  fs.writeFileSync(`${units}/holdfast-backup-my-plan.timer`, "somebody else's\n");
  const foreign = await runHoldfast(words, env);
  assert.equal(foreign.status, 4);
  assert.match(foreign.stderr, /it was not made by this program/);
});

test("cron's entries start the plan as they stand, and leave a user's others alone", async () => {
  await using folder = temporaryFolder();
  const plan = planIn(folder);
  const table = folder.join("table");
  const script = `case $1 in -l) cat ${table} ;; -) cat > ${table}.new; mv ${table}.new ${table} ;; esac`;
  const env = { PATH: recorder(folder, "crontab", script), XDG_STATE_HOME: folder.join("state") };
  const others = "# mine\n5 4 * * * true\n";
  fs.writeFileSync(table, others);
  const words = ["backup", "install-timer", plan, "--user", "--cron", "--at", "4:05"];
  for (let n = 0; n < 2; n++) assert.equal((await runHoldfast(words, env)).status, 0);
  const lines = fs.readFileSync(table, "utf8").split("\n");
  assert.deepEqual(lines.slice(0, 2), ["# mine", "5 4 * * * true"]);
  const entries = lines.filter((line) => line.includes("nice"));
  assert.deepEqual(
    entries.map((line) => line.split(" ").slice(0, 5).join(" ")),
    ["5 4 * * *", "*/30 * * * *"],
  );
  // cron gives the shell what is behind the fields, with each \% as %.
  const run = (entry: string): string => {
    const command = entry
      .split(" ")
      .slice(5)
      .join(" ")
      .replaceAll("\\%", "%")
      .replace(/ >\/dev\/null$/, "; true");
    return runPeer("sh", ["-c", command], { env });
  };
  assert.match(run(entries[0]!), /^a: failed$/m);
  assert.match(run(entries[1]!), /^nothing to do$/m, "it was run less than 25 hours ago");
  assert.equal((await runHoldfast([...words, "--remove"], env)).status, 0);
  assert.equal(fs.readFileSync(table, "utf8"), others);
});
