/** ISO files of live systems whose initrds are the real ones of live-boot and dracut; their root is a busybox. */
import * as fs from "node:fs";
import * as path from "node:path";
import type { TemporaryFolder } from "../temp.ts";
import { busybox } from "./initramfs.ts";
import { makeIso } from "./live-iso.ts";
import { runPeer } from "./peer.ts";
import { someKernel } from "./qemu.ts";

/** What these need, for `skipWithout`. */
export const liveSystemPeers: readonly string[] = [
  "mkinitramfs",
  "/usr/share/initramfs-tools/scripts/live",
  "/lib/live/boot/9990-main.sh",
  "dracut",
  "/usr/lib/dracut/modules.d/90dmsquash-live",
  "dmsetup",
  "mksquashfs",
  "mke2fs",
  "xorriso",
  busybox,
  someKernel(),
];

const kernelVersion = path.basename(someKernel()).replace(/^vmlinuz-/, "");
const drivers = "virtio_pci virtio_blk vfat ext4 nls_cp437 nls_ascii nls_utf8 loop isofs squashfs overlay".split(" ");

/** Prints in one line the files behind the loop devices, in order, and which system this is. */
export const report: readonly string[] = [
  'line="running"',
  "for file in /sys/block/loop*/loop/backing_file; do",
  '  loop=${file#/sys/block/}; line="$line ${loop%%/*}=$(cat "$file")"',
  "done",
];

/** What a system prints that runs from these files, `proof` being what its root says of itself. */
export function reportOf(proof: string, ...backing: readonly string[]): string {
  return ["running", ...backing.map((file, n) => `loop${n}=${file}`), `proof=${proof}`].join(" ");
}

/** A root file system as a tree: its first process reports, and switches the machine off. */
function makeRoot(root: string, proof: string): void {
  for (const name of ["bin", "dev", "etc/network", "proc", "run", "root", "sbin", "sys", "tmp", "usr", "var"]) {
    fs.mkdirSync(path.join(root, name), { recursive: true });
  }
  fs.copyFileSync(busybox, path.join(root, "bin/busybox"));
  fs.symlinkSync("busybox", path.join(root, "bin/sh"));
  fs.writeFileSync(path.join(root, "proof"), proof);
  const init = [
    "#!/bin/busybox sh",
    "export PATH=/bin",
    "/bin/busybox --install -s /bin", // as far as the root can be written to
    "[ -d /sys/block ] || mount -t sysfs sys /sys",
    ...report,
    'echo "$line proof=$(cat /proof)" >/dev/console',
    "poweroff -f",
    "",
  ];
  fs.writeFileSync(path.join(root, "sbin/init"), init.join("\n"), { mode: 0o755 });
}

/** A squashfs of such a root; as Fedora had it, with an ext4 in it. */
function makeSquashfs(folder: TemporaryFolder, proof: string, isAroundExt4 = false): Buffer {
  const [root, outer, image] = [folder.join("root"), folder.join("outer"), folder.join("squashfs")];
  makeRoot(root, proof);
  if (isAroundExt4) {
    fs.mkdirSync(path.join(outer, "LiveOS"), { recursive: true });
    runPeer("mke2fs", ["-q", "-t", "ext4", "-d", root, path.join(outer, "LiveOS/rootfs.img"), "16M"]);
  }
  runPeer("mksquashfs", [isAroundExt4 ? outer : root, image, "-quiet", "-no-progress", "-all-root", "-comp", "gzip"]);
  const bytes = fs.readFileSync(image);
  for (const made of [root, outer, image]) fs.rmSync(made, { recursive: true, force: true });
  return bytes;
}

/** The initrd that Debian makes where live-boot is installed. */
export function makeLiveBootInitrd(folder: TemporaryFolder): Buffer {
  const [settings, initrd] = [folder.join("initramfs-tools"), folder.join("initrd")];
  fs.mkdirSync(settings);
  const words = [
    "MODULES=list",
    "BUSYBOX=y",
    "KEYMAP=n",
    "COMPRESS=zstd",
    "COMPRESSLEVEL=1",
    "RUNSIZE=10%",
    "FSTYPE=auto",
  ];
  fs.writeFileSync(path.join(settings, "initramfs.conf"), `${words.join("\n")}\n`);
  fs.writeFileSync(path.join(settings, "modules"), `${drivers.join("\n")}\n`);
  runPeer("mkinitramfs", ["-d", settings, "-o", initrd, kernelVersion], { env: { TMPDIR: folder.path } });
  const bytes = fs.readFileSync(initrd);
  fs.rmSync(settings, { recursive: true });
  fs.rmSync(initrd);
  return bytes;
}

export interface DebianLiveRequest {
  readonly name: string;
  readonly proof: string;
  readonly initrd: Buffer;
  /** Lines of a menu for being started from a file; without one there are those for discs. */
  readonly loopbackMenu?: string;
}

/** Makes an ISO file as live-build makes them. */
export function makeDebianLive(
  folder: TemporaryFolder,
  { name, proof, initrd, loopbackMenu }: DebianLiveRequest,
): string {
  const [kernelPath, initrdPath] = [`/live/vmlinuz-${kernelVersion}`, `/live/initrd.img-${kernelVersion}`];
  const entry = (title: string, more: string): string => {
    const words = `boot=live components ${more} findiso=\${iso_path}`;
    return `menuentry "${title}" {\n  linux ${kernelPath} ${words}\n  initrd ${initrdPath}\n}\n`;
  };
  const isolinux = `label live\n  menu label ^Live system\n  linux ${kernelPath}\n  initrd ${initrdPath}\n  append boot=live components quiet splash\n`;
  return makeIso(folder, name, {
    [kernelPath]: fs.readFileSync(someKernel()),
    [initrdPath]: initrd,
    "live/filesystem.squashfs": makeSquashfs(folder, proof),
    ".disk/info": `Debian GNU/Linux 12 "Bookworm" - ${proof} amd64`,
    "isolinux/isolinux.cfg": isolinux,
    "boot/grub/grub.cfg":
      entry("Live system (amd64)", "quiet splash") + entry("Live system (amd64 fail-safe mode)", "nomodeset noapic"),
    ...(loopbackMenu === undefined
      ? {}
      : {
          "boot/grub/loopback.cfg":
            loopbackMenu + entry("Live system (amd64)", "quiet no_timer_check console=tty0 console=ttyS0"),
        }),
  });
}

/** Makes an ISO file as Fedora's live systems were until version 41: dracut, and an ext4 in a squashfs. */
export function makeFedoraLive(folder: TemporaryFolder, name: string, proof: string): string {
  const initrd = folder.join("dracut initrd");
  const modules = ["-m", "base dmsquash-live", "--drivers", [...drivers, "dm_snapshot"].join(" ")];
  const how = ["-q", "-f", "--no-hostonly", "--no-early-microcode", "--gzip", "--tmpdir", folder.path];
  runPeer("dracut", [...how, ...modules, "--kver", kernelVersion, initrd]);
  const label = "Fedora-WS Live 38";
  const menu = `menuentry 'Start Fedora-Workstation-Live 38' --class fedora {
  linux /images/pxeboot/vmlinuz root=live:CDLABEL=${label.replaceAll(" ", String.raw`\x20`)} rd.live.image quiet rhgb
  initrd /images/pxeboot/initrd.img
}
`;
  const files = {
    "images/pxeboot/vmlinuz": fs.readFileSync(someKernel()),
    "images/pxeboot/initrd.img": fs.readFileSync(initrd),
    "LiveOS/squashfs.img": makeSquashfs(folder, proof, true),
    "EFI/BOOT/grub.cfg": menu,
  };
  fs.rmSync(initrd);
  return makeIso(folder, name, files, label);
}
