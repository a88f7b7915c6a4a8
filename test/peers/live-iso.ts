/** ISO files that start: a Debian kernel and an initrd that finds its ISO as Debian's live systems do. */
import * as fs from "node:fs";
import * as path from "node:path";
import { makeEfiImage } from "../../src/boot/grub/efi-image.ts";
import { readPlatformFiles } from "../../src/boot/grub/platform-files.ts";
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

/** Makes an ISO file in the layout of Debian's live systems, whose system prints a text from a file of it. */
export function makeLiveIso(
  folder: TemporaryFolder,
  name: string,
  proof: string,
  moreModules: readonly string[] = [],
): string {
  return makeIso(folder, name, {
    "live/vmlinuz": fs.readFileSync(someKernel()),
    "live/initrd.img": makeInitramfs([...modules, ...moreModules], script, { "scripts/": "", "scripts/live": "" }),
    "live/filesystem.squashfs": "hsqs",
    ".disk/info": "Test GNU/Linux Live",
    proof,
  });
}

/** Makes an ISO file of a few files. */
export function makeIso(
  folder: TemporaryFolder,
  name: string,
  files: Readonly<Record<string, string | Uint8Array>>,
  label = "TEST_ISO",
): string {
  const tree = folder.join("tree of an iso");
  for (const [file, content] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(tree, file)), { recursive: true });
    fs.writeFileSync(path.join(tree, file), content);
  }
  const iso = folder.join(name);
  runPeer("xorriso", ["-as", "mkisofs", "-quiet", "-r", "-J", "-V", label, "-o", iso, tree]);
  fs.rmSync(tree, { recursive: true });
  return iso;
}

/** Makes an ISO that starts by BIOS from memory: a GRUB, which prints a text on the serial port. */
export function makeRescueIso(folder: TemporaryFolder, name: string, says: string): string {
  const tree = folder.join("tree of a rescue disc");
  fs.mkdirSync(path.join(tree, "boot/grub"), { recursive: true });
  const script = ["serial", "terminal_output console serial", `echo ${says} from $grub_platform`, "halt", ""];
  fs.writeFileSync(path.join(tree, "boot/grub/grub.cfg"), script.join("\n"));
  const iso = folder.join(name);
  runPeer("grub-mkrescue", ["-o", iso, tree]);
  fs.rmSync(tree, { recursive: true });
  return iso;
}

/** Makes an ISO with a program for UEFI and nothing else: a GRUB, which prints a text. */
export async function makeProgramIso(folder: TemporaryFolder, name: string, says: string): Promise<string> {
  const grub = await readPlatformFiles({ platform: "x86_64-efi" });
  const config = `echo ${says} on $grub_cpu-$grub_platform\nsleep 600\n`;
  const program = makeEfiImage(grub, { modules: ["normal", "echo", "sleep"], prefix: "/nowhere", config });
  return makeIso(folder, name, { "EFI/BOOT/BOOTX64.EFI": program });
}
