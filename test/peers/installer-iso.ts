/** Debian's installer from the network, as the mini.iso that Debian makes of the same files. */
import * as fs from "node:fs";
import * as path from "node:path";
import type { TemporaryFolder } from "../temp.ts";
import { busybox, makeInitramfs } from "./initramfs.ts";
import { makeIso } from "./live-iso.ts";
import { runPeer } from "./peer.ts";

const files = "/usr/lib/debian-installer/images/12/amd64/text/debian-installer/amd64";

/** What it needs, for `skipWithout`. */
export const installerPeers: readonly string[] = [path.join(files, "linux"), "xorriso", "cpio", busybox];

export function makeMiniIso(folder: TemporaryFolder, name: string): string {
  const menus = path.join(files, "boot-screens");
  const atTop = (file: string): string => fs.readFileSync(file, "utf8").replaceAll("debian-installer/amd64/", "");
  return makeIso(
    folder,
    name,
    {
      linux: fs.readFileSync(path.join(files, "linux")),
      "initrd.gz": fs.readFileSync(path.join(files, "initrd.gz")),
      "boot/grub/grub.cfg": atTop(path.join(files, "grub/grub.cfg")),
      "isolinux.cfg": atTop(path.join(menus, "syslinux.cfg")).replaceAll("boot-screens/", ""),
      ...Object.fromEntries(
        fs
          .readdirSync(menus)
          .filter((one) => one.endsWith(".cfg") && one !== "syslinux.cfg")
          .map((one) => [one, atTop(path.join(menus, one)).replaceAll("boot-screens/", "")]),
      ),
    },
    "ISOIMAGE",
  );
}

/** Of the installer's kernel, in the order in which they are loaded: kernels for clouds have none for USB. */
const usbModules = [
  ..."crct10dif_common crc-t10dif crc64 crc64-rocksoft t10-pi scsi_common scsi_mod sd_mod".split(" "),
  ..."usb-common usbcore xhci-hcd xhci-pci usb-storage nls_cp437 nls_ascii nls_utf8 fat vfat".split(" "),
];

/** What a system does that finds its ISO as casper does. There is no driver for what is in it. */
const finds = [
  ...usbModules.map((name) => `insmod /usb/${name}.ko`),
  "mkdir -p /sys /medium",
  "mount -t sysfs sys /sys",
  'iso=$(sed "s,.*iso-scan/filename=\\([^ ]*\\).*,\\1," /proc/cmdline)',
  "until [ -b /dev/sda2 ]; do sleep 1; done",
  "mount -t vfat -o ro /dev/sda2 /medium",
  '[ -f "/medium$iso" ] && readlink -f /sys/class/block/sda2 | grep -q /usb && echo "found $iso on USB"',
  "poweroff -f",
];

/** Makes an ISO file whose system finds it on USB. */
export function makeUsbIso(folder: TemporaryFolder, name: string): string {
  const tree = folder.join("modules");
  fs.mkdirSync(tree);
  const unpack = 'gzip -dc "$0" | cpio -i -d --quiet "$@"';
  const patterns = usbModules.map((one) => `*/${one}.ko`);
  runPeer("sh", ["-c", unpack, path.join(files, "initrd.gz"), ...patterns], { cwd: tree });
  const found = fs.readdirSync(tree, { recursive: true, encoding: "utf8" }).filter((one) => one.endsWith(".ko"));
  const modules = found.map((one) => [`usb/${path.basename(one)}`, fs.readFileSync(path.join(tree, one))] as const);
  fs.rmSync(tree, { recursive: true });
  const more = { "scripts/": "", "scripts/casper": "", "usb/": "", ...Object.fromEntries(modules) };
  return makeIso(folder, name, {
    "casper/vmlinuz": fs.readFileSync(path.join(files, "linux")),
    "casper/initrd": makeInitramfs([], finds, more),
    "boot/grub/grub.cfg": "menuentry Live {\n linux /casper/vmlinuz quiet\n initrd /casper/initrd\n}\n",
  });
}
