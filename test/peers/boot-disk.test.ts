/** `disk create --boot`, by whoever is nobody: the disk starts a real kernel, by BIOS and by UEFI. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";
import { holdfast, treeWithKernel } from "./holdfast-as-nobody.ts";
import { runPeer, skipWithout } from "./peer.ts";
import { busybox, makeInitramfs } from "./initramfs.ts";
import { machinePeers, someKernel } from "./qemu.ts";

const kernel = someKernel();
const skip = skipWithout(kernel, busybox, "e2fsck", "fsck.fat", "sfdisk", ...machinePeers.bios, ...machinePeers.uefi);
/** Printed by the initrd, from a file of the root that it has found by the UUID that the menu gives. */
const proof = "this root was mounted";
const initrdScript = [
  'uuid=$(sed "s/.*root=UUID=\\([^ ]*\\).*/\\1/" /proc/cmdline)',
  'mount -o ro "$(findfs "UUID=$uuid")" /mnt',
  "cat /mnt/etc/proof",
  "poweroff -f",
];

/** A tree with a kernel that starts, and an initrd that tells of its root. */
function treeWithProof(folder: TemporaryFolder): string {
  const tree = treeWithKernel(folder, kernel);
  fs.mkdirSync(path.join(tree, "etc"));
  fs.writeFileSync(path.join(tree, "etc/proof"), `${proof}\n`);
  const initrd = kernel.replace("vmlinuz-", "initrd.img-");
  fs.writeFileSync(path.join(tree, initrd), makeInitramfs(["virtio_pci", "virtio_blk", "ext4"], initrdScript));
  return tree;
}

const tables = [
  ["MBR, aligned", ["--table", "mbr"]],
  ["MBR, classic, first partition at byte 32256", ["--table", "mbr", "--layout", "classic"]],
  ["GPT", ["--table", "gpt"]],
] as const;
const firmwares = ["bios", "uefi", "bios,uefi"] as const;
const emulated = ["--no-acceleration", "--no-network", "--cpus", "1", "--time-limit", "120"];

/** What firmware wants before the root. */
function firmwarePartitions(table: string, boot: string): readonly string[] {
  return [
    ...(table === "GPT" && boot.includes("bios") ? ["size=1MiB,type=bios-boot,fs=none"] : []),
    ...(boot.includes("uefi") ? ["size=64MiB,type=efi,fs=fat32"] : []),
  ];
}

for (const [table, options] of tables) {
  for (const fileSystem of ["ext3", "ext4"] as const) {
    for (const boot of firmwares) {
      test(`${table}, ${fileSystem}, ${boot}: starts the kernel that is in it`, { skip }, async () => {
        await using folder = temporaryFolder();
        const disk = folder.join("disk");
        const partition = `fs=${fileSystem},from=${treeWithProof(folder)}`;
        const partitions = [...firmwarePartitions(table, boot), partition].flatMap((spec) => ["-p", spec]);
        const words = ["--size", "160MB", ...options, ...partitions];
        const made = holdfast("disk", "create", disk, ...words, "--boot", boot, "--serial");
        assert.equal(made.status, 0, made.said);
        runPeer("sfdisk", ["--verify", disk]);
        for (const firmware of ["bios", "uefi"] as const) {
          if (!boot.includes(firmware)) continue;
          const { status, said } = holdfast(
            "disk",
            "run",
            disk,
            "--snapshot",
            `--${firmware}`,
            "--until",
            proof,
            ...emulated,
          );
          assert.equal(status, 0, `${firmware}: ${said}`);
          assert.match(said, /Command line: BOOT_IMAGE=\/boot\/vmlinuz-\S+ root=UUID=[0-9a-f-]{36} ro console=tty0/);
        }
        assert.match(holdfast("disk", "check", disk).said, /no errors/);
      });
    }
  }
}

test("what cannot start is refused with a hint, and no disk is made", { skip }, async () => {
  await using folder = temporaryFolder();
  const from = treeWithKernel(folder, kernel);
  const refused = (message: RegExp, ...words: readonly string[]): void => {
    const { status, said } = holdfast("disk", "create", folder.join("disk"), "--size", "160MB", ...words);
    assert.notEqual(status, 0);
    assert.match(said, message);
    assert.deepEqual(fs.readdirSync(folder.path), ["tree"]);
  };
  refused(/no \/boot\/vmlinuz-….*\nhint: put a kernel into \/boot first/, "--boot", "bios");
  refused(/no EFI system partition\nhint: add one/, "-p", `fs=ext4,from=${from}`, "--boot", "uefi");
  refused(/hint: --boot takes bios, uefi or chain; /, "--boot", "coreboot");
  refused(/cannot use --serial without --boot/, "--serial");
  refused(/cannot use --boot: no partition has a file system/, "-p", "fs=none", "--boot", "bios");
  refused(/BIOS boot partition/, "--table", "gpt", "-p", `fs=ext4,from=${from}`, "--boot", "bios");
});
