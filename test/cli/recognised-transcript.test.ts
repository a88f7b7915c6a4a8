/** What the command line says of partitions that this program recognises but does not read. */
import assert from "node:assert/strict";
import type { ExecFileSyncOptionsWithStringEncoding } from "node:child_process";
import * as fs from "node:fs";
import { after, before, test } from "node:test";
import { runPeer, skipWithout } from "../peers/peer.ts";
import { temporaryFolder } from "../temp.ts";
import { runHoldfast } from "./run-holdfast.ts";

const skip = skipWithout("mkswap", "mkfs.btrfs", "mkfs.f2fs");
const folder = temporaryFolder();
const disk = folder.join("disk");
const MiB = 2 ** 20;

/** A disk of four partitions: nothing, swap, one half of a btrfs, a torn f2fs. */
before(async () => {
  if (skip !== false) return;
  const words = `disk create ${disk} --size 200MiB --table gpt`.split(" ");
  for (const [size, type] of [
    ["8MiB", "linux"],
    ["16MiB", "swap"],
    ["120MiB", "linux"],
    ["rest", "microsoft-data"],
  ]) {
    words.push("--partition", `size=${size},type=${type},fs=none`);
  }
  const { status, stderr } = await runHoldfast(words);
  assert.equal(status, 0, stderr);
  const put = (make: (file: string) => void, sizeMiB: number, atMiB: number): void => {
    const file = folder.join("part");
    fs.writeFileSync(file, "");
    fs.truncateSync(file, sizeMiB * MiB);
    make(file);
    const bytes = fs.readFileSync(file);
    const target = fs.openSync(disk, "r+");
    fs.writeSync(target, bytes, 0, bytes.length, atMiB * MiB);
    fs.closeSync(target);
    fs.rmSync(file);
  };
  const quiet: ExecFileSyncOptionsWithStringEncoding = { stdio: ["ignore", "pipe", "ignore"], encoding: "utf8" };
  put((file) => runPeer("mkswap", ["-U", "01234567-89ab-cdef-0123-456789abcdef", "-L", "swap", file], quiet), 16, 9);
  const other = folder.join("other");
  fs.writeFileSync(other, "");
  fs.truncateSync(other, 120 * MiB);
  put(
    (file) => runPeer("mkfs.btrfs", ["-q", "-L", "data", "-U", "fedcba98-7654-3210-0123-456789abcdef", file, other]),
    120,
    25,
  );
  put(
    (file) => {
      runPeer("mkfs.f2fs", ["-q", "-l", "stick", "-O", "extra_attr,sb_checksum", file]);
      const bytes = fs.readFileSync(file);
      bytes[1024 + 130]! ^= 0x55;
      fs.writeFileSync(file, bytes);
    },
    54,
    145,
  );
});

after(() => folder[Symbol.asyncDispose]());

test("show tells of each what it is, and what is wrong", { skip }, async () => {
  const { stdout, status } = await runHoldfast(["disk", "show", disk]);
  const lines = stdout.split("\n");
  assert.match(
    lines.find((line) => line.startsWith("2 "))!,
    / swap +swap +0 B +16 MiB +01234567-89ab-cdef-0123-456789abcdef$/,
  );
  assert.match(
    lines.find((line) => line.startsWith("3 "))!,
    / btrfs +data +\S+ MiB +\S+ MiB +fedcba98-7654-3210-0123-456789abcdef$/,
  );
  assert.match(
    lines.find((line) => line.startsWith("4 "))!,
    / f2fs +stick +\S+ KiB +\S+ MiB +[0-9a-f-]{36}$/,
  );
  assert.equal(lines.at(-2), "error: partition 4: the f2fs superblock is damaged: the second one is used");
  assert.equal(status, 0);
});

test("show --json has the same, with what was found wrong", { skip }, async () => {
  const { stdout } = await runHoldfast(["disk", "show", disk, "--json"]);
  const { partitions } = JSON.parse(stdout) as { partitions: { fileSystem?: Record<string, unknown> }[] };
  assert.equal(partitions[0]?.fileSystem, undefined);
  assert.deepEqual(partitions[1]?.fileSystem, {
    kind: "swap",
    label: "swap",
    sizeBytes: 16 * MiB,
    blockSizeBytes: 4096,
    features: [],
    notes: [],
    uuid: "01234567-89ab-cdef-0123-456789abcdef",
    usedBytes: 0,
    freeBytes: 16 * MiB,
    isOnlyRecognised: true,
  });
  const { problems, isOnlyRecognised } = partitions[3]?.fileSystem ?? {};
  assert.equal(isOnlyRecognised, true);
  assert.deepEqual(problems, [
    { severity: "error", message: "the f2fs superblock is damaged: the second one is used" },
  ]);
});

test("who wants to look into one is told what it is", { skip }, async () => {
  const what = "it is btrfs, and is spread over 2 devices, of which this is number 1\n";
  const why = `${what}hint: disk show tells what is there\n`;
  for (const words of [
    ["ls", `${disk}:3/`],
    ["cat", `${disk}:3/etc/fstab`],
    ["get", `${disk}:3/etc`, folder.join("out")],
  ]) {
    const { stderr, status } = await runHoldfast(["disk", ...words]);
    assert.equal(stderr, `holdfast: cannot look into partition 3 of "${disk}": ${why}`);
    assert.equal(status, 1);
  }
  const put = await runHoldfast(["disk", "mkdir", `${disk}:3/new`]);
  assert.equal(put.stderr, `holdfast: cannot change partition 3 of "${disk}": ${why}`);
  const grown = await runHoldfast(["disk", "grow", disk, "--partition", "3"]);
  assert.ok(grown.stderr.startsWith(`holdfast: cannot grow partition 3 of "${disk}": ${what}`), grown.stderr);
  const any = await runHoldfast(["disk", "ls", disk]);
  assert.equal(
    any.stderr,
    `holdfast: cannot find a file system in "${disk}": no partition has one that is read (2 is swap, 3 is btrfs, 4 is f2fs)\nhint: disk show tells what is there\n`,
  );
});

test("check tells what is wrong with what it does not check", { skip }, async () => {
  const { stdout, stderr, status } = await runHoldfast(["disk", "check", disk]);
  assert.equal(
    stdout,
    `error: partition 4: the f2fs superblock is damaged: the second one is used
table: gpt, checked
partition 1: no file system known, not checked
partition 2: swap, not checked
partition 3: btrfs, not checked
partition 4: f2fs, not checked
`,
  );
  assert.equal(stderr, `holdfast: cannot vouch for "${disk}": 1 error\n`);
  assert.equal(status, 3);
  const one = await runHoldfast(["disk", "check", `${disk}:3`]);
  assert.equal(one.stderr, `holdfast: cannot check "${disk}:3": it holds btrfs, which is recognised but not read\n`);
  assert.equal(one.status, 1);
});

test("a file system without a table is told as a whole", { skip }, async () => {
  const whole = folder.join("whole");
  fs.writeFileSync(whole, "");
  fs.truncateSync(whole, 120 * MiB);
  runPeer("mkfs.f2fs", ["-q", "-l", "all", whole]);
  const { stdout } = await runHoldfast(["disk", "show", whole]);
  assert.match(stdout, /file system  f2fs "all", UUID [0-9a-f-]{36}, \S+ \S+ used, \S+ MiB free/);
  const { stderr } = await runHoldfast(["disk", "ls", whole]);
  assert.match(stderr, /^holdfast: cannot look into ".*whole": it is f2fs, which/);
});
