/** Saving the root of a running system from a snapshot, by a Debian kernel with LVM in QEMU. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { runHoldfast } from "../cli/run-holdfast.ts";
import { temporaryFolder } from "../temp.ts";
import { holdfastFiles, programFiles } from "./guest-programs.ts";
import { busybox, makeInitramfs } from "./initramfs.ts";
import { runPeer, skipWithout } from "./peer.ts";
import { someKernel } from "./qemu.ts";
import { shownBy } from "./shown-by.ts";

const mib = 2 ** 20;
const limitMs = 420_000;
const skip = skipWithout("qemu-system-x86_64", "lvm", "mke2fs", "e2fsck", someKernel(), busybox);
const modules = "virtio_pci virtio_blk crc32c_generic ext4 dm-mod dm-bufio dm-snapshot".split(" ");

const lvmSettings = `devices { dir = "/dev" }
activation { udev_sync = 0 udev_rules = 0 monitoring = 0 }
backup { backup = 0 archive = 0 }
`;

/** The volume is the root of what runs below it, and somebody writes to it. */
const start = [
  "mkdir -p /sys /run/lock/lvm; mount -t sysfs sys /sys",
  "chmod -R 755 /bin /lib /lib64 /usr",
  "for name in pvcreate vgcreate lvcreate lvremove lvs; do ln -s lvm /usr/sbin/$name; done",
  "export PATH=/usr/sbin:/bin LVM_SUPPRESS_FD_WARNINGS=1",
  'quietly() { "$@" > /dev/null 2> /said || cat /said; }',
  "quietly pvcreate /dev/vda",
  "quietly vgcreate vg-main /dev/vda",
  "quietly lvcreate -L 24M -n my-root vg-main",
  "quietly /usr/sbin/mke2fs -q -t ext4 /dev/vg-main/my-root",
  "mount -t ext4 /dev/vg-main/my-root /mnt",
  "for name in bin lib lib64 usr etc run dev proc sys holdfast backups; do",
  "  mkdir -p /$name /mnt/$name",
  "  mount --bind /$name /mnt/$name",
  "done",
  "echo 'UUID=1 / ext4' > /mnt/fstab",
  "exec 7> /mnt/deleted; echo open >&7; rm /mnt/deleted",
  // At any one moment both have the same number, or the first is ahead by one.
  "while :; do",
  "  n=$((n + 1)); echo $n > /mnt/first; sync; echo $n > /mnt/second; sync; usleep 100000",
  "done & writer=$!",
  'volumes() { echo "$1: $(lvs --noheadings -o lv_name vg-main | xargs)."; }',
  "save() { exec chroot /mnt node /holdfast/cli/main.js backup save /dev/vg-main/my-root /backups --snapshot $*; }",
  "until [ -s /mnt/second ]; do usleep 10000; done",
];

/** A run that is stopped once it has its snapshot. lvs waits until lvcreate has let go of the group. */
const stopped = [
  "pid=$!",
  "until ls /dev/mapper | grep -q holdfast; do usleep 10000; done",
  "kill -STOP $pid",
  "lvs > /dev/null",
];

const script = [
  ...start,
  "save --name killed > /dev/null 2>&1 &",
  ...stopped,
  "kill -KILL $pid; wait $pid",
  "volumes killed",
  "(save --name good --fsck) > /said 2>&1; echo good ended with $?",
  "cat /said",
  "volumes good",
  "quietly lvcreate -L 24M -n copy vg-main",
  "node /holdfast/cli/main.js backup restore /backups/good /dev/vg-main/copy --confirm vg-main/copy > /said 2>&1",
  "echo restored with $?; cat /said",
  "mkdir /copy; mount -t ext4 /dev/vg-main/copy /copy",
  "echo copy: $(cat /copy/fstab).; umount /copy; quietly lvremove -y vg-main/copy",
  "save --name full --snapshot-size 4M > /said 2>&1 &",
  ...stopped,
  "dd if=/dev/urandom of=/mnt/large bs=1M count=8 conv=fsync 2> /dev/null",
  "kill -CONT $pid; wait $pid; echo full ended with $?",
  "cat /said",
  "volumes full",
  "kill $writer",
  "echo backups: $(ls /backups).",
  "tar c -C /backups . | dd of=/dev/vdb bs=1M 2> /dev/null",
  "exec 7>&-; sync; echo all is done; poweroff -f",
];

test("the root of a running system is saved from a snapshot, of which nothing is left", { skip }, async () => {
  await using folder = temporaryFolder();
  const [disk, out, initramfs] = [folder.join("disk"), folder.join("out"), folder.join("initramfs")];
  for (const file of [disk, out]) {
    fs.writeFileSync(file, "");
    fs.truncateSync(file, 96 * mib);
  }
  const programs = programFiles({ "usr/sbin/lvm": "lvm", "usr/sbin/mke2fs": "mke2fs", "usr/sbin/e2fsck": "e2fsck" });
  const files = { ...programs, ...holdfastFiles(), "etc/": "", "etc/lvm/": "", "etc/lvm/lvm.conf": lvmSettings };
  fs.writeFileSync(initramfs, makeInitramfs(modules, script, files));
  const machine = ["-accel", "tcg", "-m", "1024", "-smp", "2", "-display", "none", "-nodefaults", "-no-reboot"];
  const kernel = ["-kernel", someKernel(), "-initrd", initramfs, "-append", "console=ttyS0 quiet panic=-1"];
  const drives = [disk, out].flatMap((file) => ["-drive", `if=virtio,format=raw,file=${file},cache=unsafe`]);
  const said = await shownBy("qemu-system-x86_64", [...machine, "-serial", "stdio", ...kernel, ...drives], { limitMs });
  assert.match(said, /^all is done/m, said);
  // What was killed has left its snapshot, which the next run removes.
  assert.match(said, /^killed: holdfast-\d+-[a-z0-9]+ my-root\.$/m);
  assert.match(said, /^good ended with 0$/m, said);
  assert.match(said, /^good: my-root\.$/m);
  assert.match(said, /^copy: UUID=1 \/ ext4\.$/m, said);
  // A snapshot with too little room is worth nothing.
  assert.match(said, /^full ended with 1$/m);
  const full =
    /^holdfast: cannot save "\/dev\/vg-main\/my-root": its snapshot of 4 MiB was full before everything was read$/m;
  assert.match(said, full);
  assert.match(said, /^full: my-root\.$/m);
  assert.match(said, /^backups: good\.$/m);

  const backup = folder.join("good");
  runPeer("tar", ["x", "-C", folder.path, "-f", out, "./good"]);
  assert.match(
    (await runHoldfast(["backup", "check", backup])).stdout,
    /^no errors: .* vg-main-my-root, file systems/m,
  );
  const listed = await runHoldfast(["backup", "ls", `${backup}:/`]);
  assert.match(listed.stdout, /^fstab$/m);
  assert.doesNotMatch(listed.stdout, /deleted|large/);
  const contents: string[] = [];
  for (const name of ["fstab", "first", "second"]) {
    contents.push((await runHoldfast(["backup", "cat", `${backup}:/${name}`])).stdout.trim());
  }
  const [fstab, first, second] = contents;
  assert.equal(fstab, "UUID=1 / ext4");
  assert.ok([0, 1].includes(Number(first) - Number(second)), `${first}, then ${second}`);
});
