/** `key write` onto loop devices over files of the test, and what real programs say of the result. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { test } from "node:test";
import { addIsos, listKey } from "../../src/key/index.ts";
import { runHoldfast } from "../cli/run-holdfast.ts";
import { temporaryFolder } from "../temp.ts";
import { makeIso } from "./live-iso.ts";
import { assertSound, hashOf, keyIn, loopback, makeFolder, refused, stickPeers } from "./key-stick.ts";
import { assertOurs, plugIn, skipWithoutLoop, type LoopStick } from "./loop-stick.ts";
import { runPeer, skipWithout } from "./peer.ts";
import { machinePeers, serialUntil } from "./qemu.ts";

const peers = [...stickPeers, ...machinePeers.bios, ...machinePeers.uefi];
const skip = skipWithoutLoop() || skipWithout(...peers);
const mib = 2 ** 20;
const stickBytes = 8_000_000_000;

interface Written {
  readonly writtenBytes: number;
  readonly comparedBytes: number;
}

async function write(key: string, stick: LoopStick): Promise<Written> {
  assertOurs(stick);
  const words = ["key", "write", key, stick.device, "--confirm", fs.realpathSync(stick.file), "--json"];
  const { stdout, stderr, status } = await runHoldfast(words);
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as Written;
}

test("a small key onto a stick of 8 GB: it grows, starts, and is not written twice", { skip }, async () => {
  await using folder = temporaryFolder();
  const key = await keyIn(folder);
  await addIsos({ key, isos: [makeIso(folder, "some.iso", loopback)], isRehearsal: false, nowMs: 1_700_000_000_000 });
  const before = await listKey(key);
  await using stick = plugIn(folder.join("stick"), stickBytes);
  const written = await write(key, stick);
  assert.ok(written.writtenBytes > mib && written.writtenBytes < fs.statSync(key).size);
  assertSound(stick);
  assert.equal((await write(key, stick)).writtenBytes, 0);

  const after = await listKey(stick.file);
  assert.deepEqual(after.files, before.files);
  assert.deepEqual([after.isos.label, after.isos.uuid], [before.isos.label, before.isos.uuid]);
  assert.ok(after.isos.freeBytes > 0.99 * stickBytes - 20 * mib);
  assert.match(await serialUntil(stick.file, "TEST ISO"), /TEST ISO/);
});

test("a key with GPT and ext4 grows over what was on the stick before", { skip }, async () => {
  await using folder = temporaryFolder();
  const key = await keyIn(folder, { table: "gpt", isosKind: "ext4" });
  await addIsos({ key, isos: [makeIso(folder, "some.iso", loopback)], isRehearsal: false, nowMs: 1_700_000_000_000 });
  await using stick = plugIn(folder.join("stick"), 600 * mib);
  assertOurs(stick);
  const noise = Buffer.alloc(mib, "what was here before ");
  const fd = fs.openSync(stick.device, "r+");
  for (let at = 0; at < 600; at++) fs.writeSync(fd, noise, 0, mib, at * mib);
  fs.fsyncSync(fd);
  fs.closeSync(fd);
  await write(key, stick);
  assertSound(stick);
  const { writtenBytes, comparedBytes } = await write(key, stick);
  assert.equal(writtenBytes, 0);
  assert.ok(comparedBytes < 64 * mib, "what it grows by is mostly left alone");
  const { isos, files } = await listKey(stick.file);
  assert.ok(isos.freeBytes > 500 * mib);
  assert.deepEqual(
    files.map(({ name }) => name),
    ["some.iso"],
  );
});

test("a FAT32 with many files becomes larger, and they stay", { skip }, async () => {
  await using folder = temporaryFolder();
  const key = await keyIn(folder, { sizeBytes: 120_000_000 });
  const large = Buffer.concat(
    Array.from({ length: 33 * 1024 }, (_, n) => createHash("sha512").update(`${n}`).digest()),
  );
  const content = { ...loopback, large: Buffer.concat(Array.from({ length: 16 }, () => large)).toString("latin1") };
  const iso = makeIso(folder, "large.iso", content);
  const adding = { key, isos: [iso], isRehearsal: false, nowMs: 1_700_000_000_000 };
  await addIsos({ ...adding, name: "tools/with a long name, and more" });
  await using stick = plugIn(folder.join("stick"), 1_500_000_000);
  await write(key, stick);
  assertSound(stick);
  assert.equal((await write(key, stick)).writtenBytes, 0);
  const { isos, files } = await listKey(stick.file);
  assert.ok(isos.freeBytes > 1_350_000_000);
  assert.equal(isos.uuid, (await listKey(key)).isos.uuid);
  const [{ name } = { name: "" }] = files;
  const start = /start= *(\d+), size= *\d+, type=c/.exec(runPeer("sfdisk", ["-d", stick.file]))?.[1];
  runPeer("mcopy", ["-i", `${stick.file}@@${Number(start) * 512}`, `::${name}`, folder.join("copy")]);
  assert.equal(hashOf(folder.join("copy")), hashOf(iso));
});

test("swap is refused", { skip: skip || skipWithout("mkswap", "swapon") }, async (context) => {
  await using folder = temporaryFolder();
  const key = await keyIn(folder);
  const file = folder.join("stick");
  await using stick = plugIn(file, 64 * mib);
  assertOurs(stick);
  runPeer("mkswap", [stick.device]);
  try {
    runPeer("swapon", [stick.device]);
  } catch {
    return context.skip("this kernel does not swap onto loop devices");
  }
  try {
    await refused(
      ["key", "write", key, stick.device, "--confirm", file],
      file,
      /is in use as swap\nhint: run: swapoff \/dev\/loop/,
    );
  } finally {
    runPeer("swapoff", [stick.device]);
  }
});

test("a dry run shows the stick and what would become of it", { skip }, async () => {
  await using folder = temporaryFolder();
  const key = await keyIn(folder);
  await using stick = plugIn(folder.join("stick"), 64 * mib);
  const link = folder.join("usb-by-id");
  fs.symlinkSync(stick.device, link);
  const { stdout, status } = await runHoldfast(["key", "write", key, link, "--dry-run"]);
  assert.equal(status, 0);
  assert.match(
    stdout,
    /^device .*loop\d+\nserial .*stick\nsize .*64 MiB .*not removable\nholds .*nothing.*\nwrites .*isos grows/,
  );
  assert.ok(fs.readFileSync(stick.file).every((byte) => byte === 0));
});

test("what is not safe is refused, and nothing is written", { skip }, async () => {
  await using folder = temporaryFolder();
  const key = await keyIn(folder);
  const file = folder.join("stick");
  {
    await using stick = plugIn(file, 64 * mib, ["--partscan"]);
    const { device } = stick;
    await refused(["key", "write", key, device], file, /it is not removable\nhint: .*--confirm/);
    await refused(["key", "write", key, device, "--confirm", "other"], file, /its file is ".*stick", not "other"/);
    await refused(["key", "write", key, file], file, /it is not a block device/);
    runPeer("mke2fs", ["-q", "-F", device]);
    runPeer("mount", [device, makeFolder(folder.join("mnt"))]);
    try {
      await refused(
        ["key", "write", key, device, "--confirm", file],
        file,
        /loop\d+ is mounted on .*mnt\nhint: run: umount/,
      );
    } finally {
      runPeer("umount", [folder.join("mnt")]);
    }
    await using above = plugInOver(device);
    await refused(
      ["key", "write", key, device, "--confirm", file],
      file,
      new RegExp(`${above.name} is a loop device over loop`),
    );
  }
  {
    await using stick = plugIn(file, undefined, ["--read-only"]);
    await refused(["key", "write", key, stick.device, "--confirm", file], file, /it is read-only/);
  }
  {
    await using stick = plugIn(file, 16 * mib);
    await refused(["key", "write", key, stick.device, "--confirm", file], file, /it has 16 MiB .*the key needs 25 MiB/);
  }
  {
    await using stick = plugIn(file, 64 * mib, ["--sector-size", "4096"]);
    await refused(["key", "write", key, stick.device, "--confirm", file], file, /sectors of 4096 bytes/);
  }
});

function plugInOver(device: string): AsyncDisposable & { readonly name: string } {
  const above = runPeer("losetup", ["--find", "--show", device]).trim();
  return {
    name: above.slice("/dev/".length),
    async [Symbol.asyncDispose]() {
      runPeer("losetup", ["--detach", above]);
    },
  };
}
