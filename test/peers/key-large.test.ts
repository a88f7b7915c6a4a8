/** Files that FAT cannot hold: isos becomes ext4, and real programs find it in order. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { addIsos, listKey } from "../../src/key/index.ts";
import { runHoldfast } from "../cli/run-holdfast.ts";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";
import { assertSound, hashOf, keyIn, loopback, makeFolder, stickPeers } from "./key-stick.ts";
import { makeIso } from "./live-iso.ts";
import { plugIn, skipWithoutLoop } from "./loop-stick.ts";
import { runPeer, skipWithout } from "./peer.ts";

const skip = skipWithoutLoop() || skipWithout(...stickPeers, "blkid", "mount");
const keyBytes = 5_000_000_000;
const isoBytes = 2 ** 32 + 4096;
const nowMs = 1_700_000_000_000;

/** An ISO with a hole behind its end. */
function makeLargeIso(folder: TemporaryFolder): string {
  const iso = makeIso(folder, "large.iso", loopback);
  fs.truncateSync(iso, isoBytes);
  return iso;
}

/** Isos is ext4 and nothing else, as settings and table say, and a kernel reads these files from it. */
function assertExt4(
  stick: { readonly file: string; readonly device: string },
  folder: TemporaryFolder,
  files: readonly string[],
): void {
  assertSound(stick);
  const table = runPeer("sfdisk", ["-d", stick.file]);
  assert.match(table, /type=(83|0FC63DAF-8483-4772-8E79-3D69D8477DE4)(, .*)?\n$/);
  const starts = Array.from(table.matchAll(/start= *(\d+)/g), ([, start]) => Number(start) * 512);
  const part = runPeer("losetup", ["--find", "--show", "--offset", String(starts.at(-1)), stick.file]).trim();
  try {
    assert.match(runPeer("blkid", ["-p", part]), / LABEL="ISOS" UUID="[^"]*" .* TYPE="ext4"/);
    const [, uuid] = / UUID="([^"]*)"/.exec(runPeer("blkid", ["-p", part])) ?? [];
    const settings = runPeer("mtype", ["-i", `${stick.file}@@${starts.at(-2)}`, "::boot/grub/key.cfg"]);
    assert.match(settings, new RegExp(`^set key_isos_uuid='${uuid}'$`, "m"));
    const place = makeFolder(folder.join("mnt"));
    runPeer("mount", ["-o", "ro", part, place]);
    try {
      for (const file of files) {
        const copy = `${place}/${file.slice(file.lastIndexOf("/") + 1)}`;
        assert.equal(fs.statSync(copy).size, fs.statSync(file).size);
        if (fs.statSync(file).size < isoBytes) assert.equal(hashOf(copy), hashOf(file));
        else runPeer("cmp", ["--bytes", String(2 ** 20), file, copy]);
      }
      assert.equal(fs.statSync(place).mode & 0o777, 0o777);
    } finally {
      runPeer("umount", [place]);
    }
  } finally {
    runPeer("losetup", ["--detach", part]);
  }
}

for (const table of ["mbr", "gpt"] as const) {
  test(`isos becomes ext4 with the first file of 4 GiB, and keeps what was on it: ${table}`, { skip }, async () => {
    await using folder = temporaryFolder();
    const [small, large] = [makeIso(folder, "small.iso", loopback), makeLargeIso(folder)];
    const key = await keyIn(folder, { sizeBytes: keyBytes, table });
    const before = await listKey(key);
    assert.equal(before.isos.kind, "fat32");
    if (table === "gpt") await addIsos({ key, isos: [small], isRehearsal: false, nowMs });
    const changedMs = fs.statSync(key).mtimeMs;
    const [planned] = await addIsos({ key, isos: [large], isRehearsal: true, nowMs });
    assert.match(planned?.warnings.join() ?? "", /isos becomes ext4/);
    assert.equal(fs.statSync(key).mtimeMs, changedMs, "a rehearsal changes nothing");

    await addIsos({ key, isos: [large], isRehearsal: false, nowMs });
    const { isos, files } = await listKey(key);
    assert.deepEqual([isos.kind, isos.label], ["ext4", "ISOS"]);
    assert.equal(files.length, table === "gpt" ? 2 : 1);
    await using stick = plugIn(key);
    assertExt4(stick, folder, table === "gpt" ? [small, large] : [large]);
  });
}

test("a stick becomes ext4 while nothing is on it; else the file is refused", { skip }, async () => {
  await using folder = temporaryFolder();
  const [small, large] = [makeIso(folder, "small.iso", loopback), makeLargeIso(folder)];
  const key = await keyIn(folder, { sizeBytes: keyBytes });
  {
    await using stick = plugIn(key);
    await addIsos({ key: stick.device, isos: [small], isRehearsal: false, nowMs });
    const { stderr, status } = await runHoldfast(["key", "add", stick.device, large]);
    assert.equal(status, 1);
    assert.match(stderr, /^holdfast: cannot add .*FAT holds files below 4 GiB.*\nhint: remove those first.*\n$/);
    assert.equal((await listKey(stick.device)).isos.kind, "fat32");
    assert.equal((await runHoldfast(["key", "remove", stick.device, "small"])).status, 0);
    const added = await runHoldfast(["key", "add", stick.device, large]);
    assert.match(added.stderr, /warning: isos becomes ext4/);
    assert.equal(added.status, 0);
    assertExt4(stick, folder, [large]);
  }
});

test("where there is too little room for it nothing is changed", { skip }, async () => {
  await using folder = temporaryFolder();
  const large = makeLargeIso(folder);
  const key = await keyIn(folder, { sizeBytes: 2 ** 26 });
  const before = hashOf(key);
  await assert.rejects(addIsos({ key, isos: [large], isRehearsal: false, nowMs }), /cannot add .*are needed/);
  assert.equal(hashOf(key), before);
});

test("a key is made with its files at once, as large as they need, or not at all", { skip }, async () => {
  await using folder = temporaryFolder();
  const [small, large] = [makeIso(folder, "small.iso", loopback), makeLargeIso(folder)];
  const key = folder.join("new.img");
  const made = await runHoldfast(["key", "create", key, "--add", small, "--add", large]);
  assert.equal(made.status, 0, made.stderr);
  assert.match(made.stdout, /isos is ext4(.|\n)*small\.iso (.|\n)*large\.iso /);
  assert.ok(fs.statSync(key).size < isoBytes * 1.05);
  {
    await using stick = plugIn(key);
    assertExt4(stick, folder, [small, large]);
  }
  const other = folder.join("other.img");
  for (const words of [
    ["--add", small, "--add", key],
    ["--add", large, "--fs", "fat32"],
    ["--add", large, "--size", "1GB"],
  ]) {
    const { status, stderr } = await runHoldfast(["key", "create", other, ...words]);
    assert.equal(status, 1, stderr);
    assert.match(stderr, /^(warning: .*\n)*holdfast: cannot .*\n(hint: .*\n)?$/);
    assert.deepEqual(
      fs.readdirSync(folder.path).filter((name) => name.startsWith("other")),
      [],
    );
  }
});

test("the same key and the same files are the same bytes", { skip }, async () => {
  await using folder = temporaryFolder();
  const iso = makeIso(folder, "small.iso", loopback);
  const hashes = [1, 2].map(async (n) => {
    const key = folder.join(`${n}.img`);
    const words = ["key", "create", key, "--add", iso, "--uuid", "11111111-2222-4333-8444-555555555555"];
    const { status, stderr } = await runHoldfast(words, { SOURCE_DATE_EPOCH: "1700000000" });
    assert.equal(status, 0, stderr);
    assert.ok((await listKey(key)).isos.sizeBytes < 9 * 2 ** 20);
    return hashOf(key);
  });
  const [first, second] = await Promise.all(hashes);
  assert.equal(first, second);
});
