/** `backup check --boot`: a backup that starts does so straight out of its folder, and one that does not is told apart. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, before, test } from "node:test";
import { runHoldfast } from "../cli/run-holdfast.ts";
import { temporaryFolder } from "../temp.ts";
import { busybox, makeInitramfs } from "./initramfs.ts";
import { skipWithout } from "./peer.ts";
import { machinePeers, someKernel } from "./qemu.ts";

const skip = skipWithout(
  someKernel(),
  busybox,
  "/usr/share/seabios/bios.bin",
  ...machinePeers.bios,
  ...machinePeers.uefi,
);
const folder = temporaryFolder();
const disk = folder.join("disk");
const emulated = ["--no-acceleration", "--time-limit", "300"];

/** It mounts its root, finds its swap by UUID, and asks who is there. */
const script = [
  "mount -t ext4 /dev/vda3 /mnt",
  "cat /mnt/greeting",
  "blkid /dev/vda4",
  "echo changed > /mnt/greeting",
  "umount /mnt",
  'echo "small login: "',
  "read answer < /dev/ttyS0",
];

async function holdfast(...words: readonly string[]): Promise<string> {
  const { stdout, stderr, status } = await runHoldfast(words);
  assert.equal(status, 0, stderr);
  return stdout;
}

before(async () => {
  if (skip !== false) return;
  const boot = folder.join("tree/boot");
  fs.mkdirSync(boot, { recursive: true });
  fs.writeFileSync(folder.join("tree/greeting"), "good morning\n");
  const kernel = path.basename(someKernel());
  fs.copyFileSync(someKernel(), path.join(boot, kernel));
  const initrd = makeInitramfs(["virtio_pci", "virtio_blk", "ext4"], script);
  fs.writeFileSync(path.join(boot, kernel.replace("vmlinuz-", "initrd.img-")), initrd);
  const words = ["--size", "200MB", "--table", "gpt", "--from", folder.join("tree"), "--boot", "bios,uefi", "--serial"];
  await holdfast("disk", "create", disk, ...words, "--timeout", "1");
  await holdfast("backup", "save", disk, folder.join("backups"), "--name", "good");
});

after(() => folder[Symbol.asyncDispose]());

test("a backup comes up by BIOS, asks for a login, and stays as it was", { skip }, async () => {
  const backup = folder.join("backups/good");
  const before = fs.readdirSync(backup).map((name) => [name, fs.statSync(`${backup}/${name}`).mtimeMs]);
  const png = folder.join("screen.png");
  const words = ["backup", "check", backup, "--boot", ...emulated, "--screenshot", png, "--json"];
  const { isUp, seen, firmware } = JSON.parse(await holdfast(...words)) as Record<string, unknown>;
  assert.deepEqual({ isUp, seen, firmware }, { isUp: true, seen: "small login:", firmware: "bios" });
  assert.equal(fs.readFileSync(png).toString("latin1", 1, 4), "PNG");
  assert.deepEqual(
    fs.readdirSync(backup).map((name) => [name, fs.statSync(`${backup}/${name}`).mtimeMs]),
    before,
  );
});

test("a disk whose boot loader finds nothing is told apart with status 3", { skip }, async () => {
  const broken = folder.join("broken");
  fs.copyFileSync(disk, broken);
  await holdfast("disk", "rm", "-r", `${broken}:/boot/grub`);
  // A plan marks it, and keeps what is older.
  const plan = folder.join("plan.toml");
  const lines = ['check = "boot"', "boot_emulated = true", "keep_last = 1", 'target = "backups"'];
  fs.writeFileSync(plan, ["[[job]]", 'name = "it"', 'source = "broken"', ...lines].join("\n"));
  fs.cpSync(folder.join("backups/good"), folder.join("backups/2020-01-01-0000-it"), { recursive: true });
  const run = await runHoldfast(["backup", "run", plan], { XDG_STATE_HOME: folder.join("state") });
  assert.equal(run.status, 3, run.stderr);
  assert.match(run.stdout, /^ {2}error: cannot start /m);
  const made = fs.readdirSync(folder.join("backups")).filter((name) => name.endsWith("-it"));
  assert.equal(made.length, 2);
  assert.ok(fs.existsSync(folder.join("backups", made[1]!, "failed-check.txt")));
  const { status, stderr } = await runHoldfast([
    "backup",
    "check",
    folder.join("backups", made[1]!),
    "--boot",
    ...emulated,
  ]);
  assert.equal(status, 3, stderr);
  assert.match(stderr, /^holdfast: cannot start ".*-it": .*/);
  assert.doesNotMatch(stderr, /login/);
});

test("a backup with nothing that starts says so at once", { skip }, async () => {
  const empty = folder.join("empty");
  await holdfast("disk", "create", empty, "--size", "8MB", "--partition", "size=4MB,fs=ext2");
  await holdfast("backup", "save", empty, folder.join("backups"), "--name", "empty");
  const { status, stderr } = await runHoldfast([
    "backup",
    "check",
    folder.join("backups/empty"),
    "--boot",
    ...emulated,
  ]);
  assert.equal(status, 1);
  assert.match(stderr, /it has no boot code, and no program for UEFI/);
});
