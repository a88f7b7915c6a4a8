/** ISO files of tiny Linuxes that find themselves as casper's (Ubuntu) and archiso's (Arch Linux) do. */
import * as fs from "node:fs";
import type { TemporaryFolder } from "../temp.ts";
import { makeInitramfs } from "./initramfs.ts";
import { makeIso } from "./live-iso.ts";
import { report } from "./live-systems.ts";
import { runPeer } from "./peer.ts";
import { someKernel } from "./qemu.ts";

const modules =
  "virtio_pci virtio_blk sd_mod crc32c_generic nls_cp437 nls_ascii nls_utf8 nls_iso8859-1 vfat ext4 loop isofs squashfs";

/** What both begin with: a function that gives the value of a word of the kernel's command line. */
const value = [
  "mkdir -p /sys /run",
  "mount -t sysfs sys /sys",
  'value() { for word in $(cat /proc/cmdline); do case "$word" in "$1="*) echo "${word#*=}";; esac; done; }',
];
const end = [...report, 'echo "$line proof=$(cat /root/proof)"', "poweroff -f"];

/** With `iso-scan/filename=` every partition is looked at for the file (casper, `20iso_scan`). */
const casper = [
  "mkdir -p /isodevice /cdrom /root",
  "file=$(value iso-scan/filename)",
  "for device in /dev/vd?? /dev/sd??; do",
  '  mount -o ro "$device" /isodevice || continue',
  '  [ -f "/isodevice$file" ] && break',
  "  umount /isodevice",
  "done",
  'losetup -r /dev/loop0 "/isodevice$file" && mount -t iso9660 -o ro /dev/loop0 /cdrom',
  "losetup -r /dev/loop1 /cdrom/casper/filesystem.squashfs && mount -t squashfs -o ro /dev/loop1 /root",
];

/** The partition of `img_dev=` has the file of `img_loop=` (archiso, `archiso_loop_mnt`); `archisobasedir=` is in that. */
const archiso = [
  "mkdir -p /run/archiso/img_dev /run/archiso/bootmnt /root",
  "device=$(value img_dev)",
  'case "$device" in /dev/disk/by-uuid/*) device=$(findfs "UUID=${device##*/}");; esac',
  'mount -o ro "$device" /run/archiso/img_dev',
  'losetup -r /dev/loop0 "/run/archiso/img_dev$(value img_loop)" && mount -t iso9660 -o ro /dev/loop0 /run/archiso/bootmnt',
  "sfs=/run/archiso/bootmnt/$(value archisobasedir)/x86_64/airootfs.sfs",
  "losetup -r /dev/loop1 $sfs && mount -t squashfs -o ro /dev/loop1 /root",
];

/** A script of busybox's shell as a file of an initrd, which the first process reads. */
function initrdWith(folders: readonly string[], script: string, lines: readonly string[]): Buffer {
  const more = { ...Object.fromEntries(folders.map((name) => [name, ""])), [script]: `${lines.join("\n")}\n` };
  return makeInitramfs(modules.split(" "), [...value, `. /${script}`, ...end], more);
}

function squashfsOf(folder: TemporaryFolder, proof: string): Buffer {
  const [tree, image] = [folder.join("tiny root"), folder.join("tiny squashfs")];
  fs.mkdirSync(tree);
  fs.writeFileSync(`${tree}/proof`, proof);
  runPeer("mksquashfs", [tree, image, "-quiet", "-no-progress", "-all-root"]);
  const bytes = fs.readFileSync(image);
  fs.rmSync(tree, { recursive: true });
  fs.rmSync(image);
  return bytes;
}

/** As Ubuntu's: `/casper`. */
export function makeCasperIso(folder: TemporaryFolder, name: string, proof: string): string {
  return makeIso(folder, name, {
    "casper/vmlinuz": fs.readFileSync(someKernel()),
    "casper/initrd": initrdWith(["scripts/"], "scripts/casper", casper),
    "casper/filesystem.squashfs": squashfsOf(folder, proof),
    ".disk/info": `Ubuntu 24.04 LTS "Noble Numbat" - ${proof} amd64`,
    "boot/grub/grub.cfg":
      "menuentry 'Try or Install Ubuntu' {\n linux /casper/vmlinuz --- quiet splash\n initrd /casper/initrd\n}\n",
  });
}

/** As Arch Linux's: `/arch`, with the menu of systemd-boot. */
export function makeArchIso(folder: TemporaryFolder, name: string, proof: string): string {
  const initrd = initrdWith(["hooks/"], "hooks/archiso_loop_mnt", archiso);
  const entry = [
    "title Arch Linux install medium (x86_64, UEFI)",
    "linux /arch/boot/x86_64/vmlinuz-linux",
    "initrd /arch/boot/x86_64/initramfs-linux.img",
    "options archisobasedir=arch archisosearchuuid=2024-01-01-00-00-00-00",
  ];
  const files = {
    "arch/boot/x86_64/vmlinuz-linux": fs.readFileSync(someKernel()),
    "arch/boot/x86_64/initramfs-linux.img": initrd,
    "arch/x86_64/airootfs.sfs": squashfsOf(folder, proof),
    "loader/entries/01-archiso-x86_64-linux.conf": `${entry.join("\n")}\n`,
  };
  return makeIso(folder, name, files, "ARCH_202401");
}
