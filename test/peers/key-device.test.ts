/** Keys on sticks, which are loop devices over files of the test: made there, added to, listed, while nobody uses them. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { listKey } from "../../src/key/index.ts";
import { runHoldfast } from "../cli/run-holdfast.ts";
import { temporaryFolder } from "../temp.ts";
import { assertSound, hashOf, loopback, makeFolder, refused, stickPeers } from "./key-stick.ts";
import { makeIso } from "./live-iso.ts";
import { assertOurs, plugIn, skipWithoutLoop, type LoopStick } from "./loop-stick.ts";
import { runPeer, skipWithout } from "./peer.ts";

const skip = skipWithoutLoop() || skipWithout(...stickPeers);
const mib = 2 ** 20;

async function done(...words: readonly string[]): Promise<string> {
  const { stdout, stderr, status } = await runHoldfast(["key", ...words]);
  assert.equal(status, 0, stderr);
  return stdout + stderr;
}

async function createOn(stick: LoopStick, ...words: readonly string[]): Promise<string> {
  assertOurs(stick);
  return done("create", stick.device, "--confirm", fs.realpathSync(stick.file), ...words);
}

/** Where isos begins, in bytes. */
function isosStart(file: string): number {
  const starts = Array.from(runPeer("sfdisk", ["-d", file]).matchAll(/start= *(\d+)/g), ([, start]) => Number(start));
  return (starts.at(-1) ?? 0) * 512;
}

const keys = [
  { name: "MBR and FAT32", words: [], kind: "fat32", stickBytes: 2_000_000_000 },
  { name: "GPT and ext4", words: ["--table", "gpt", "--fs", "ext4"], kind: "ext4", stickBytes: 2_000_000_000 },
];
for (const { name, words, kind, stickBytes } of keys) {
  test(`a stick becomes a key, and ISO files come and go: ${name}`, { skip }, async () => {
    await using folder = temporaryFolder();
    const [first, second] = ["first.iso", "second.iso"].map((file) => makeIso(folder, file, loopback)) as [
      string,
      string,
    ];
    await using stick = plugIn(folder.join("stick"), stickBytes);
    assert.match(await createOn(stick, ...words), /wrote .* and read them back\n.*loop\d+: a key of/);
    assertSound(stick);
    const { isos } = await listKey(stick.file);
    assert.equal(isos.kind, kind);
    assert.ok(isos.freeBytes > 0.98 * stickBytes - 20 * mib);

    await done("add", stick.device, first, second);
    assertSound(stick);
    assert.match(await done("list", stick.device), /first\.iso .*\n.*second\.iso /);
    await done("remove", stick.device, "first.iso");
    assertSound(stick);
    assert.doesNotMatch(await done("list", stick.device), /first|warning/);
    if (kind !== "fat32") return;
    runPeer("mcopy", ["-i", `${stick.file}@@${isosStart(stick.file)}`, "::second.iso", folder.join("copy")]);
    assert.equal(hashOf(folder.join("copy")), hashOf(second));
  });
}

test("a stick that is in use is not changed; what is on a mounted one can be looked at", { skip }, async () => {
  await using folder = temporaryFolder();
  const iso = makeIso(folder, "some.iso", loopback);
  const file = folder.join("stick");
  await using stick = plugIn(file, 64 * mib);
  const { device } = stick;
  await createOn(stick, "--fs", "ext4");
  await done("add", device, iso);
  const place = makeFolder(folder.join("mnt"));
  const above = runPeer("losetup", ["--find", "--show", "--offset", String(isosStart(file)), device]).trim();
  try {
    const isLoop = /cannot .*: loop\d+ is a loop device over loop\d+\nhint: run: losetup -d/;
    await refused(["key", "add", device, iso, "--name", "other"], file, isLoop);
    runPeer("mount", ["-o", "ro", above, place]);
    const isMounted = /cannot .*: loop\d+ is mounted on .*mnt\nhint: run: umount .*mnt/;
    await refused(["key", "add", device, iso, "--name", "other"], file, isMounted);
    await refused(["key", "remove", device, "some.iso"], file, isMounted);
    await refused(["key", "run", device], file, isMounted);
    await refused(["key", "create", device, "--confirm", file], file, isMounted);
    assert.match(await done("list", device), /some\.iso .*\n(.|\n)*warning: loop\d+ is mounted on .*mnt: /);
    runPeer("mount", ["-o", "remount,rw", place]);
    fs.copyFileSync(iso, `${place}/copied.iso`);
    runPeer("sync", ["-f", place]);
    assert.match(await done("list", device), /copied\.iso/);
  } finally {
    if (fs.readdirSync(place).length > 0) runPeer("umount", [place]);
    runPeer("losetup", ["--detach", above]);
  }
  await done("remove", device, "some");
  assert.match(await done("list", device), /copied\.iso/);
  assertSound(stick);
});

test("a stick becomes a key with ISO files on it, or stays as it was", { skip }, async () => {
  await using folder = temporaryFolder();
  const iso = makeIso(folder, "some.iso", loopback);
  const other = folder.join("other.iso");
  fs.writeFileSync(other, "no ISO");
  await using stick = plugIn(folder.join("stick"), 64 * mib);
  const before = hashOf(stick.file);
  const confirmed = ["--confirm", fs.realpathSync(stick.file)];
  const words = ["key", "create", stick.device, ...confirmed, "--add", iso, "--add", other];
  const { status, stderr } = await runHoldfast(words);
  assert.equal(status, 1);
  assert.match(stderr, /^holdfast: cannot add ".*other\.iso": .*\nhint: .*\n$/);
  assert.equal(hashOf(stick.file), before);
  assert.match(await createOn(stick, "--add", iso), /wrote .*\n.*\n.*\nsome\.iso /);
  assertSound(stick);
});

test("what is no key, and what is not confirmed, is left alone", { skip }, async () => {
  await using folder = temporaryFolder();
  const iso = makeIso(folder, "some.iso", loopback);
  const file = folder.join("stick");
  await using stick = plugIn(file, 64 * mib);
  const { device } = stick;
  await refused(["key", "create", device], file, /it is not removable\nhint: .*--confirm/);
  await refused(["key", "create", device, "--confirm", "y"], file, /its file is ".*stick", not "y"/);
  const before = hashOf(file);
  for (const words of [
    ["add", device, iso],
    ["remove", device, "some"],
    ["list", device],
    ["write", device, device],
  ]) {
    const { stderr, status } = await runHoldfast(["key", ...words]);
    assert.equal(status, 1, stderr);
    assert.match(
      stderr,
      /^holdfast: cannot .*(it was not made by key create|an image of a key is needed)\nhint: .*\n$/,
    );
  }
  assert.match(await done("create", device, "--dry-run"), /holds .*nothing.*\nwrites .*a new key.*isos grows/);
  assert.equal((await runHoldfast(["key", "create", device, "--size", "32MiB"])).status, 2);
  assert.equal(hashOf(file), before);
});

test("a stick that is too small, or read-only, is refused", { skip }, async () => {
  await using folder = temporaryFolder();
  const file = folder.join("stick");
  {
    await using stick = plugIn(file, 16 * mib);
    await refused(["key", "create", stick.device, "--confirm", file], file, /has 16 MiB .*the key needs 25 MiB/);
  }
  {
    await using stick = plugIn(file, undefined, ["--read-only"]);
    for (const verb of ["create", "add", "remove"]) {
      const words = ["key", verb, stick.device, ...(verb === "create" ? ["--confirm", file] : [file])];
      await refused(words, file, /it is read-only/);
    }
  }
});
