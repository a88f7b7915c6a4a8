/** `disk run`: what a machine does to a disk, and how a run ends. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, before, test } from "node:test";
import { runHoldfast, startHoldfast, transcriptOf } from "../cli/run-holdfast.ts";
import { temporaryFolder } from "../temp.ts";
import { busybox, makeInitramfs } from "./initramfs.ts";
import { runPeer, skipWithout } from "./peer.ts";
import { machinePeers, someKernel } from "./qemu.ts";

const skip = skipWithout(
  someKernel(),
  busybox,
  "qemu-img",
  "/usr/share/seabios/bios.bin",
  ...machinePeers.bios,
  ...machinePeers.uefi,
);
const emulated = ["--no-acceleration", "--no-network", "--cpus", "1", "--time-limit", "300"];

/** A name that QEMU's lists of options would take apart. */
const folder = temporaryFolder();
const disk = folder.join("a disk, and more");

/** Its first process writes to the root, and switches the machine off once it has been told to on the serial port. */
const script = [
  "mount -t ext4 /dev/vda3 /mnt",
  "echo written > /mnt/by-machine",
  "umount /mnt",
  "echo all done",
  "read answer < /dev/ttyS0",
  'echo "was told $answer"',
  "poweroff -f",
];

before(async () => {
  if (skip !== false) return;
  const boot = folder.join("tree/boot");
  fs.mkdirSync(boot, { recursive: true });
  const kernel = path.basename(someKernel());
  fs.copyFileSync(someKernel(), path.join(boot, kernel));
  fs.writeFileSync(
    path.join(boot, kernel.replace("vmlinuz-", "initrd.img-")),
    makeInitramfs(["virtio_pci", "virtio_blk", "ext4"], script),
  );
  const words = [
    "--size",
    "200MB",
    "--table",
    "gpt",
    "--from",
    folder.join("tree"),
    "--boot",
    "bios,uefi",
    "--serial",
    "--timeout",
    "1",
  ];
  const { status, stderr } = await runHoldfast(["disk", "create", disk, ...words]);
  assert.equal(status, 0, stderr);
});

after(() => folder[Symbol.asyncDispose]());

function hashOf(file: string): string {
  return createHash("sha256").update(fs.readFileSync(file)).digest("hex");
}

test("with --snapshot the disk stays as it was; the screen is kept", { skip }, async () => {
  const hash = hashOf(disk);
  const png = folder.join("screen.png");
  const words = ["--snapshot", "--until", "all done", "--screenshot", png, "--json", ...emulated];
  const { status, stdout, stderr } = await runHoldfast(["disk", "run", disk, ...words]);
  assert.equal(status, 0, stderr);
  const { end, firmware, acceleration } = JSON.parse(stdout) as Record<string, unknown>;
  assert.deepEqual({ end, firmware, acceleration }, { end: "seen", firmware: "bios", acceleration: "emulation" });
  assert.match(stderr, /Linux version/, "with --json the serial port goes to standard error");
  assert.equal(hashOf(disk), hash);
  const picture = fs.readFileSync(png);
  assert.equal(picture.toString("latin1", 1, 4), "PNG");
  assert.ok(picture.readUInt32BE(16) >= 640, "it is as wide as a screen");
});

test("without it what the machine writes stays; what it says goes to standard output", { skip }, async () => {
  const copy = folder.join("copy");
  fs.copyFileSync(disk, copy);
  const { status, stdout, stderr } = await runHoldfast(["disk", "run", copy, "--until", "all done", ...emulated]);
  assert.equal(status, 0, stderr);
  assert.match(stdout, /Linux version[\s\S]*all done/);
  assert.equal((await runHoldfast(["disk", "cat", `${copy}:/by-machine`])).stdout, "written\n");
  assert.match((await runHoldfast(["disk", "check", copy])).stdout, /no errors/);
});

test("a qcow2 image starts as well", { skip }, async () => {
  const image = folder.join("disk.qcow2");
  runPeer("qemu-img", ["convert", "-O", "qcow2", disk, image]);
  const run = await runHoldfast(["disk", "run", image, "--snapshot", "--until", "all done", ...emulated]);
  assert.equal(run.status, 0, run.stderr);
});

test("a text that does not come fails with status 1, and says what was last", { skip }, async () => {
  const words = ["disk", "run", disk, "--snapshot", "--until", "good morning", "--no-acceleration", "--no-network"];
  const { status, stderr } = await runHoldfast([...words, "--time-limit", "1"]);
  assert.equal(status, 1);
  assert.match(stderr, /^holdfast: cannot see "good morning" on the serial port of ".*": 1 s have passed without it\n/);
  assert.match(stderr, /\nhint: (the last line was: |it said nothing)/);
});

test("it is interrupted as other commands are, and leaves no machine behind", { skip }, async () => {
  const child = startHoldfast(["disk", "run", disk, "--snapshot", "--no-acceleration", "--no-network"]);
  const ended = transcriptOf(child);
  await once(child.stdout, "data"); // the machine speaks
  const machines = fs.readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8").split(" ").filter(Boolean);
  assert.equal(machines.length, 1);
  child.kill("SIGINT");
  const { status, stderr } = await ended;
  assert.equal(status, 130, stderr);
  assert.ok(!fs.existsSync(`/proc/${machines[0]}`), "QEMU has ended");
});

test("a disk that another machine has is refused in one line", { skip }, async () => {
  const child = startHoldfast(["disk", "run", disk, "--no-acceleration", "--no-network", "--time-limit", "60"]);
  const ended = transcriptOf(child);
  await once(child.stdout, "data");
  const { status, stderr } = await runHoldfast(["disk", "run", disk, "--until", "x", ...emulated]);
  child.kill("SIGINT");
  await ended;
  assert.equal(status, 4);
  assert.match(stderr, /^holdfast: cannot run the machine: something else uses its disk\nhint: .*\n$/);
});

test("without QEMU, v86 comes as far as it can, and says what it is", { skip }, async () => {
  const hash = hashOf(disk);
  const words = ["disk", "run", disk, "--snapshot", "--until", "GNU GRUB", "--time-limit", "120", "--json"];
  const { status, stdout, stderr } = await runHoldfast(words, { PATH: "/nowhere" });
  assert.equal(status, 0, stderr);
  assert.match(stderr, /^warning: QEMU is not installed; v86 runs the machine as far as it can: 32 bits/m);
  assert.equal((JSON.parse(stdout) as { readonly acceleration: string }).acceleration, "v86");
  assert.equal(hashOf(disk), hash);
});

test("what cannot start is said before anything is started", { skip }, async () => {
  const empty = folder.join("empty");
  assert.equal((await runHoldfast(["disk", "create", empty, "--size", "64MB"])).status, 0);
  const refused = async (message: RegExp, words: readonly string[], env = {}): Promise<void> => {
    const { status, stderr } = await runHoldfast(["disk", "run", ...words], env);
    assert.ok(status === 1 || status === 2, `${status}: ${stderr}`);
    assert.match(stderr, message);
  };
  await refused(/it has no boot code, and no program for UEFI\nhint: make it with disk create --boot/, [empty]);
  await refused(/qemu-system-x86_64 is not installed\nhint: install/, [disk, "--snapshot", "--uefi"], {
    PATH: "/nowhere",
  });
  await refused(/no such file/, [folder.join("none")]);
  await refused(/cannot use --bios with --uefi/, [disk, "--bios", "--uefi"]);
  await refused(/cannot forward "22"\nhint: write two ports/, [disk, "--forward", "22"]);
  await refused(/cannot take a screenshot: nothing says when\nhint: add --until/, [disk, "--screenshot", "x.png"]);
});
