import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { sampleDisk } from "../backup/sample-disk.ts";
import { temporaryFolder } from "../temp.ts";
import { runPeer, skipWithout } from "./peer.ts";

const needs = { skip: skipWithout("gcc", "e2fsck") };
const main = path.join(import.meta.dirname, "../../src/cli/main.ts");

test("a disk that cannot be read everywhere is saved by the command, whose exit status says so", needs, async () => {
  await using folder = temporaryFolder();
  const library = folder.join("failing.so");
  runPeer("gcc", ["-shared", "-fPIC", "-O1", "-o", library, path.join(import.meta.dirname, "failing-disk.c"), "-ldl"]);
  const disk = await sampleDisk(folder, "gpt");
  const bytes = fs.readFileSync(disk);
  const noise = fs.readFileSync(folder.join("tree", "usr", "noise"));
  const at = bytes.indexOf(noise.subarray(0, 4096), 21 * 2 ** 20); // in the ext4 of the second partition
  const bad = [20, 21, 300].map((n) => at / 512 + n);
  const run = (...words: readonly string[]) =>
    spawnSync(process.execPath, [main, "backup", ...words], {
      encoding: "utf8",
      env: {
        ...process.env,
        LD_PRELOAD: library,
        BAD_FILE: String(fs.statSync(disk).ino),
        BAD_SECTORS: bad.join(" "),
      },
    });
  const home = folder.join("home");
  const { status, stdout, stderr } = run("save", disk, home, "--name", "worn", "--retries", "1", "--json");
  assert.equal(status, 3, stderr);
  assert.match(stderr, /cannot read 3 sectors of ".*", in one file: zeros stand for what is missing\n/);
  const saved = JSON.parse(stdout) as { readonly unreadable: unknown };
  assert.deepEqual(saved.unreadable, { sectors: 3, files: ["sda2: /usr/noise"], list: "sda-bad-sectors.txt" });
  assert.match(run("show", `${home}/worn`).stdout, /3 sectors could not be read .*\n {2}in sda2: \/usr\/noise\n/);
  assert.equal(run("restore", `${home}/worn`, folder.join("back"), "-p", "2").status, 0);
  runPeer("e2fsck", ["-fn", folder.join("back")]);
  for (const n of [20, 21, 300]) noise.fill(0, n * 512, n * 512 + 512);
  runPeer("debugfs", ["-R", `dump /usr/noise ${folder.join("noise")}`, folder.join("back")]);
  assert.ok(fs.readFileSync(folder.join("noise")).equals(noise));
});
