/** ISO files that start: a Debian kernel and an initrd that finds its ISO as Debian's live systems do. */
import * as fs from "node:fs";
import * as path from "node:path";
import type { TemporaryFolder } from "../temp.ts";
import { busybox, makeInitramfs } from "./initramfs.ts";
import { runPeer } from "./peer.ts";
import { someKernel } from "./qemu.ts";

/** What tests with these need, for `skipWithout`. */
export const livePeers: readonly string[] = [someKernel(), busybox, "xorriso"];

const modules =
  "virtio_pci virtio_blk crc32c_generic nls_cp437 nls_ascii nls_utf8 nls_iso8859-1 vfat ext4 loop isofs".split(" ");

/** What an initrd of live-boot does with `findiso=`: the ISO is mounted from the partition that has it. */
const script = [
  'iso=$(sed "s/.*findiso=\\([^ ]*\\).*/\\1/" /proc/cmdline)',
  "mkdir -p /sys /medium",
  "mount -t sysfs sys /sys",
  "for device in /dev/vd??; do",
  '  mount -o ro "$device" /mnt || continue',
  '  [ -f "/mnt$iso" ] && break',
  "  umount /mnt",
  "done",
  'losetup /dev/loop0 "/mnt$iso" && mount -t iso9660 -o ro /dev/loop0 /medium',
  'echo "running from $(cat /sys/block/loop0/loop/backing_file) on $device: $(cat /medium/proof)"',
  "poweroff -f",
];

export interface LiveIso {
  /** What the running system prints from a file of its ISO. */
  readonly proof: string;
  /** With a menu of its own for loopback. */
  readonly hasLoopbackMenu?: boolean;
}

/** Makes an ISO file in the layout of Debian's live systems. */
export function makeLiveIso(
  folder: TemporaryFolder,
  name: string,
  { proof, hasLoopbackMenu = false }: LiveIso,
): string {
  const tree = folder.join(`${name} tree`);
  fs.mkdirSync(path.join(tree, "live"), { recursive: true });
  fs.mkdirSync(path.join(tree, ".disk"));
  fs.copyFileSync(someKernel(), path.join(tree, "live/vmlinuz"));
  fs.writeFileSync(path.join(tree, "live/initrd.img"), makeInitramfs(modules, script));
  fs.writeFileSync(path.join(tree, "live/filesystem.squashfs"), "hsqs");
  fs.writeFileSync(path.join(tree, ".disk/info"), "Test GNU/Linux Live");
  fs.writeFileSync(path.join(tree, "proof"), `${proof}\n`);
  if (hasLoopbackMenu) {
    fs.mkdirSync(path.join(tree, "boot/grub"), { recursive: true });
    const start = "linux /live/vmlinuz boot=live findiso=${iso_path} console=ttyS0\n  initrd /live/initrd.img";
    fs.writeFileSync(
      path.join(tree, "boot/grub/loopback.cfg"),
      `set timeout=0\nmenuentry "Its own menu" {\n  ${start}\n}\n`,
    );
  }
  const iso = folder.join(name);
  runPeer("xorriso", ["-as", "mkisofs", "-quiet", "-r", "-J", "-V", "TEST_LIVE", "-o", iso, tree]);
  fs.rmSync(tree, { recursive: true });
  return iso;
}
