/** Disks that `disk create --boot` makes, by whoever is nobody: they start a real kernel, by BIOS and by UEFI. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, before, test } from "node:test";
import { temporaryFolder } from "../temp.ts";
import { holdfast, treeWithKernel } from "./holdfast-as-nobody.ts";
import { busybox, makeInitramfs } from "./initramfs.ts";
import { runPeer, skipWithout } from "./peer.ts";
import { machinePeers, someKernel } from "./qemu.ts";

const kernel = someKernel();
/** Printed by the initrd, from a file of the root that it has found by the UUID that the menu gives. */
const proof = "this root was mounted";
const initrdScript = [
  'uuid=$(sed "s/.*root=UUID=\\([^ ]*\\).*/\\1/" /proc/cmdline)',
  'mount -o ro "$(findfs "UUID=$uuid")" /mnt',
  "cat /mnt/etc/proof",
  "poweroff -f",
];
const emulated = ["--no-acceleration", "--no-network", "--cpus", "1", "--time-limit", "300"];

export interface TableOfDisk {
  readonly table: "mbr" | "gpt";
  readonly layout?: "classic";
}

const fileSystems = ["ext3", "ext4"] as const;
const boots = ["bios", "uefi", "bios,uefi"] as const;
/** All of table, file system and firmware would be 24 starts; every two of them are together in twelve. */
const isWhole = process.env["HOLDFAST_WHOLE_MATRIX"] === "1";

/** Disks with a table, for either firmware and both, start the kernel that is in them. */
export function testDisksThatStart({ table, layout }: TableOfDisk): void {
  const skip = skipWithout(kernel, busybox, "e2fsck", "fsck.fat", "sfdisk", ...machinePeers.bios, ...machinePeers.uefi);
  const folder = temporaryFolder();
  before(() => (skip === false ? makeTree(treeWithKernel(folder, kernel)) : undefined));
  after(() => folder[Symbol.asyncDispose]());
  const words = ["--table", table, ...(layout === undefined ? [] : ["--layout", layout])];
  const turn = table === "gpt" ? 1 : 0;
  for (const [f, fileSystem] of fileSystems.entries()) {
    for (const [b, boot] of boots.entries()) {
      if (!isWhole && (f + b + turn) % 2 !== 0) continue;
      test(`${words.join(" ")}, ${fileSystem}, ${boot}: starts the kernel that is in it`, { skip }, () => {
        const disk = folder.join(`${fileSystem} ${boot}`);
        const root = `fs=${fileSystem},from=${folder.join("tree")}`;
        const partitions = [...firmwarePartitions(table, boot), root].flatMap((spec) => ["-p", spec]);
        const start = ["--boot", boot, "--serial", "--timeout", "0"];
        const made = holdfast("disk", "create", disk, "--size", "160MB", ...words, ...partitions, ...start);
        assert.equal(made.status, 0, made.said);
        runPeer("sfdisk", ["--verify", disk]);
        for (const firmware of boot.split(",")) startBy(firmware, disk);
        assert.match(holdfast("disk", "check", disk).said, /no errors/);
        fs.rmSync(disk);
      });
    }
  }
}

/** Adds an initrd that tells of its root. */
function makeTree(tree: string): void {
  fs.mkdirSync(path.join(tree, "etc"));
  fs.writeFileSync(path.join(tree, "etc/proof"), `${proof}\n`);
  const initrd = kernel.replace("vmlinuz-", "initrd.img-");
  fs.writeFileSync(path.join(tree, initrd), makeInitramfs(["virtio_pci", "virtio_blk", "ext4"], initrdScript));
}

/** What firmware wants before the root. */
function firmwarePartitions(table: string, boot: string): readonly string[] {
  return [
    ...(table === "gpt" && boot.includes("bios") ? ["size=1MiB,type=bios-boot,fs=none"] : []),
    ...(boot.includes("uefi") ? ["size=64MiB,type=efi,fs=fat32"] : []),
  ];
}

function startBy(firmware: string, disk: string): void {
  const { status, said } = holdfast("disk", "run", disk, "--snapshot", `--${firmware}`, "--until", proof, ...emulated);
  assert.equal(status, 0, `${firmware}: ${said}`);
  assert.match(said, /Command line: BOOT_IMAGE=\/boot\/vmlinuz-\S+ root=UUID=[0-9a-f-]{36} ro console=tty0/);
}
