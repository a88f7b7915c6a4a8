/** Disks that start go on doing so after they were restored to other sizes, with the ids they had and with new ones. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { before, after, test } from "node:test";
import { temporaryFolder } from "../temp.ts";
import { holdfast, holdfastMeanwhile, treeWithKernel } from "./holdfast-as-nobody.ts";
import { busybox, makeInitramfs } from "./initramfs.ts";
import { runPeer, skipWithout } from "./peer.ts";
import { machinePeers, someKernel } from "./qemu.ts";

const kernel = someKernel();
const skip = skipWithout(kernel, busybox, "sfdisk", "mkswap", ...machinePeers.bios, ...machinePeers.uefi);
const folder = temporaryFolder();
const disk = folder.join("disk");
const proof = "this root was mounted, with swap";
const swapUuid = "0a1b2c3d-0000-4000-8000-00000000abcd";
/** Finds root and swap by what menu and fstab say. */
const initrdScript = [
  'uuid=$(sed "s/.*root=UUID=\\([^ ]*\\).*/\\1/" /proc/cmdline)',
  'mount -o ro "$(findfs "UUID=$uuid")" /mnt',
  'grep -q "^UUID=$uuid / " /mnt/etc/fstab || poweroff -f',
  'swap=$(sed -n "s/^UUID=\\([^ ]*\\) none swap.*/\\1/p" /mnt/etc/fstab)',
  '[ -n "$(findfs "UUID=$swap")" ] && cat /mnt/etc/proof',
  "poweroff -f",
];

function run(...words: string[]): string {
  const { status, said } = holdfast(...words);
  assert.equal(status, 0, said);
  return said;
}

before(() => {
  if (skip !== false) return;
  const tree = treeWithKernel(folder, kernel);
  fs.mkdirSync(path.join(tree, "etc"));
  fs.writeFileSync(path.join(tree, "etc/proof"), `${proof}\n`);
  const initrd = makeInitramfs(["virtio_pci", "virtio_blk", "ext4"], initrdScript);
  fs.writeFileSync(path.join(tree, kernel.replace("vmlinuz-", "initrd.img-")), initrd);
  // What is behind the root moves with its size: also the partition from which the BIOS's GRUB is loaded.
  const partitions = [
    `size=100MiB,fs=ext4,from=${tree}`,
    "size=40MiB,type=efi,fs=fat32",
    "size=1MiB,type=bios-boot,fs=none",
    "size=8MiB,type=linux-swap,fs=none",
  ];
  const start = ["--boot", "bios,uefi", "--serial", "--timeout", "0"];
  run(
    "disk",
    "create",
    disk,
    "--size",
    "160MiB",
    "--table",
    "gpt",
    ...partitions.flatMap((one) => ["-p", one]),
    ...start,
  );
  const swapAt = /4 : start= *(\d+)/.exec(runPeer("sfdisk", ["-d", disk]))?.[1];
  const swap = folder.join("swap");
  fs.writeFileSync(swap, Buffer.alloc(8 * 2 ** 20));
  runPeer("mkswap", ["-q", "-U", swapUuid, swap]);
  const fd = fs.openSync(disk, "r+");
  fs.writeSync(fd, fs.readFileSync(swap), 0, 8 * 2 ** 20, Number(swapAt) * 512);
  fs.closeSync(fd);
  const fstab = folder.join("fstab");
  fs.writeFileSync(fstab, `UUID=${rootUuid(disk)} / ext4 defaults 0 1\nUUID=${swapUuid} none swap sw 0 0\n`);
  run("disk", "put", fstab, `${disk}:1/etc/fstab`);
  run("backup", "save", disk, folder.join("backups"), "--name", "it");
});

after(() => folder[Symbol.asyncDispose]());

function rootUuid(image: string): string | undefined {
  return /linux .*ext4 .* ([0-9a-f-]{36})/.exec(run("disk", "show", image))?.[1];
}

async function assertStarts(image: string, firmware: string): Promise<void> {
  const machine = ["--no-acceleration", "--no-network", "--cpus", "1", "--time-limit", "300"];
  const words = ["disk", "run", image, "--snapshot", `--${firmware}`, "--until", proof, ...machine];
  const { status, said } = await holdfastMeanwhile(...words);
  assert.equal(status, 0, `${firmware}: ${said}`);
  assert.match(said, new RegExp(`Command line: .* root=UUID=${rootUuid(image)} `));
}

test("on a smaller disk and with new ids it starts by UEFI", { skip }, async () => {
  const image = folder.join("smaller");
  run("backup", "restore", folder.join("backups", "it"), image, "--size", "107MiB", "--new-ids", "--verify");
  assert.notEqual(rootUuid(image), rootUuid(disk));
  const [before, after] = [runPeer("sfdisk", ["-d", disk]), runPeer("sfdisk", ["-d", image])];
  for (const [, uuid = ""] of before.matchAll(/(?:uuid=|label-id: )([0-9A-F-]{36})/g)) assert.ok(!after.includes(uuid));
  assert.doesNotMatch(run("disk", "cat", `${image}:1/etc/fstab`), new RegExp(swapUuid));
  assert.match(run("disk", "check", image), /no errors/);
  await assertStarts(image, "uefi");
  fs.rmSync(image);
});

test("on a larger disk it starts by BIOS where everything behind the root has moved", { skip }, async () => {
  const image = folder.join("larger");
  run("backup", "restore", folder.join("backups", "it"), image, "--size", "240MiB", "--fit", "last");
  assert.equal(rootUuid(image), rootUuid(disk));
  assert.match(runPeer("sfdisk", ["-d", image]), /start= *2048, size= *387072,/); // 189 MiB
  await assertStarts(image, "bios");
});
