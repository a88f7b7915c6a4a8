/** An image that something else uses is refused, and stays as it is. */
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import { once } from "node:events";
import { open as openFile } from "node:fs/promises";
import { test } from "node:test";
import { runHoldfast } from "../cli/run-holdfast.ts";
import { skipWithoutMount, whileMounted } from "../filesystem/ext/mounted.ts";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";
import { runPeer, skipWithout } from "./peer.ts";

async function imageIn(folder: TemporaryFolder): Promise<string> {
  const image = folder.join("vm.img");
  runPeer("mke2fs", ["-q", "-t", "ext4", image, "8M"]);
  return image;
}

/** The image is refused with status 4 for this reason, and not a byte of it is changed. */
async function assertRefused(image: string, why: RegExp, hint: RegExp, read = image): Promise<void> {
  const before = fs.readFileSync(read);
  for (const words of [
    ["mkdir", `${image}:/x`],
    ["rm", "-rf", `${image}:/lost+found`],
  ]) {
    const { stdout, stderr, status } = await runHoldfast(["disk", ...words]);
    assert.equal(stdout, "");
    assert.match(stderr, why);
    assert.match(stderr, hint);
    assert.equal(status, 4);
  }
  assert.ok(fs.readFileSync(read).equals(before));
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill();
  await once(child, "exit");
}

test("QEMU has it open", { skip: skipWithout("qemu-io", "mke2fs") }, async () => {
  await using folder = temporaryFolder();
  const image = await imageIn(folder);
  const qemu = spawn("qemu-io", ["-f", "raw", image], { stdio: ["pipe", "pipe", "inherit"] });
  try {
    qemu.stdin.write("read 0 512\n");
    await once(qemu.stdout, "data"); // it answers, so it has the image open
    await assertRefused(
      image,
      /^holdfast: cannot change ".*vm\.img": another program has it locked$/m,
      /shut that down/,
    );
    const looked = await runHoldfast(["disk", "ls", `${image}:/`]);
    assert.deepEqual([looked.stdout, looked.status], ["lost+found\n", 0]);
  } finally {
    await ended(qemu);
  }
  assert.equal((await runHoldfast(["disk", "mkdir", `${image}:/x`])).status, 0);
});

test("QEMU does not open what is being changed", { skip: skipWithout("qemu-io", "mke2fs") }, async () => {
  await using folder = temporaryFolder();
  const image = await imageIn(folder);
  const pipe = folder.join("pipe");
  runPeer("mkfifo", [pipe]);
  // A put from a pipe holds the image until the pipe ends, and the pipe opens once both ends are there.
  const putting = runHoldfast(["disk", "put", pipe, `${image}:/from-a-pipe`]);
  const opening = openFile(pipe, "w");
  const early = await Promise.race([putting, opening.then(() => undefined)]);
  if (early !== undefined) fs.closeSync(fs.openSync(pipe, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK));
  const writer = await opening;
  assert.equal(early, undefined);
  assert.throws(() => runPeer("qemu-io", ["-f", "raw", "-c", "write 0 512", image]), /lock/);
  const second = await runHoldfast(["disk", "mkdir", `${image}:/x`]);
  assert.match(second.stderr, /another program has it locked/);
  assert.equal(second.status, 4);
  await writer.write("late\n");
  await writer.close();
  assert.equal((await putting).status, 0);
  assert.equal((await runHoldfast(["disk", "cat", `${image}:/from-a-pipe`])).stdout, "late\n");
});

test("it is mounted through a loop device", { skip: skipWithoutMount() || skipWithout("losetup") }, async () => {
  await using folder = temporaryFolder();
  const image = await imageIn(folder);
  await whileMounted(image, folder.join("mnt"), "rw,noinit_itable", async () => {
    runPeer("sync", ["-f", folder.join("mnt")]); // the kernel writes that it is mounted when it likes
    const hint = /^hint: unmount what is on it, and run: losetup -d \/dev\/loop\d+$/m;
    await assertRefused(image, /^holdfast: cannot change ".*vm\.img": it is in use as \/dev\/loop\d+$/m, hint);
    const [, loop = ""] = /^(\/dev\/loop\d+):/.exec(runPeer("losetup", ["-j", image])) ?? [];
    await assertRefused(loop, /^holdfast: cannot change "\/dev\/loop\d+": it is in use$/m, /unmount/, image);
  });
  assert.equal((await runHoldfast(["disk", "mkdir", `${image}:/x`])).status, 0);
});

test("it may only be read", { skip: process.getuid?.() === 0 ? "root may write any file" : false }, async () => {
  await using folder = temporaryFolder();
  const image = folder.join("vm.img");
  assert.equal((await runHoldfast(["disk", "create", image, "--size", "8MiB"])).status, 0);
  fs.chmodSync(image, 0o444);
  const { stderr, status } = await runHoldfast(["disk", "mkdir", `${image}:/x`]);
  assert.equal(stderr, `holdfast: cannot change "${image}": permission denied\n`);
  assert.equal(status, 1);
});
