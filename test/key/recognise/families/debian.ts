import { casper, initrdOf, liveBoot, plain } from "../sample-iso.ts";
import { iso, kernel, linux, uuid, type Row } from "./row.ts";

const antix = initrdOf("init", "live/bin/live-init", "lib/vfat.ko");
const netboot = initrdOf("init", "var/lib/dpkg/info/net-retriever.postinst", "lib/vfat.ko");
const discInstaller = initrdOf("init", "var/lib/dpkg/info/cdrom-detect.postinst");
const hdMedia = initrdOf("init", "var/lib/dpkg/info/iso-scan.postinst", "lib/vfat.ko");

/** Debian, Ubuntu and those made from them. */
export const debianRows: readonly Row[] = [
  {
    name: "1 loopback.cfg",
    family: "debian-live",
    files: {
      "boot/grub/loopback.cfg": "source /boot/grub/grub.cfg",
      "boot/grub/grub.cfg":
        "menuentry x {\n linux /live/vmlinuz boot=live findiso=${iso_path}\n initrd /live/initrd.img\n}",
      "live/vmlinuz": kernel,
      "live/initrd.img": liveBoot,
      "live/filesystem.squashfs": "",
    },
    expected: { kind: "configfile", path: "/boot/grub/loopback.cfg" },
  },
  {
    name: "2 Debian live",
    family: "debian-live",
    files: {
      ".disk/info": "Debian",
      "live/filesystem.squashfs": "",
      "live/vmlinuz-6.1.0-9-amd64": kernel,
      "live/initrd.img-6.1.0-9-amd64": liveBoot,
    },
    expected: linux(
      "/live/vmlinuz-6.1.0-9-amd64",
      ["/live/initrd.img-6.1.0-9-amd64"],
      "boot=live",
      `findiso=${iso}`,
      "components",
    ),
  },
  {
    name: "3 Debian mini.iso",
    family: "debian-installer-netboot",
    files: { linux: kernel, "initrd.gz": netboot },
    expected: linux("/linux", ["/initrd.gz"]),
  },
  {
    name: "4 Debian netinst",
    family: "debian-installer-disc",
    files: { "install.amd/vmlinuz": kernel, "install.amd/initrd.gz": discInstaller, "dists/": "", "pool/": "" },
    expected: { refusal: /looks for a disc or a stick of its own/ },
  },
  {
    name: "4 Debian netinst with the initrd for hard disks",
    family: "debian-installer-disc",
    files: {
      "isolinux/isolinux.cfg":
        "label install\n kernel /install.amd/vmlinuz\n append vga=788 initrd=/install.amd/initrd.gz",
      "install.amd/vmlinuz": kernel,
      "install.amd/initrd.gz": hdMedia,
      "dists/": "",
      "pool/": "",
    },
    expected: linux("/install.amd/vmlinuz", ["/install.amd/initrd.gz"], "vga=788"),
  },
  {
    name: "5 Ubuntu desktop",
    family: "ubuntu",
    files: { "casper/vmlinuz": kernel, "casper/initrd": casper, "casper/filesystem.squashfs": "" },
    expected: linux("/casper/vmlinuz", ["/casper/initrd"], "boot=casper", `iso-scan/filename=${iso}`),
  },
  {
    name: "6 Ubuntu server",
    family: "ubuntu-server",
    files: { "casper/vmlinuz": kernel, "casper/initrd": casper, "casper/ubuntu-server-minimal.squashfs": "" },
    expected: linux("/casper/vmlinuz", ["/casper/initrd"], "boot=casper", `iso-scan/filename=${iso}`),
  },
  {
    name: "7 Ubuntu mini",
    family: "debian-installer-netboot",
    files: { linux: kernel, "initrd.gz": netboot, "boot/grub/efi.img": "x" },
    expected: linux("/linux", ["/initrd.gz"]),
  },
  {
    name: "8 Linux Mint",
    family: "mint",
    files: { "casper/vmlinuz": kernel, "casper/initrd.lz": casper, "preseed/linuxmint.seed": "" },
    expected: linux(
      "/casper/vmlinuz",
      ["/casper/initrd.lz"],
      "boot=casper",
      `iso-scan/filename=${iso}`,
      "file=/cdrom/preseed/linuxmint.seed",
    ),
  },
  {
    name: "9 LMDE",
    family: "lmde",
    files: {
      ".disk/info": "LMDE 6",
      "live/vmlinuz": kernel,
      "live/initrd.lz": liveBoot,
      "live/filesystem.squashfs": "",
    },
    expected: linux(
      "/live/vmlinuz",
      ["/live/initrd.lz"],
      "boot=live",
      `findiso=${iso}`,
      "components",
      "live-config",
      "live-media-path=/live",
    ),
  },
  {
    name: "10 Pop!_OS",
    family: "pop-os",
    files: { "casper_22.04/vmlinuz.efi": kernel, "casper_22.04/initrd.gz": casper },
    expected: linux(
      "/casper_22.04/vmlinuz.efi",
      ["/casper_22.04/initrd.gz"],
      "boot=casper",
      `iso-scan/filename=${iso}`,
      "hostname=pop-os",
      "username=pop-os",
      "noprompt",
      "live-media-path=/casper_22.04",
    ),
  },
  {
    name: "27 antiX",
    family: "antix",
    files: { "antiX/vmlinuz": kernel, "antiX/initrd.gz": antix, "antiX/linuxfs": "" },
    expected: linux("/antiX/vmlinuz", ["/antiX/initrd.gz"], `fromiso=${iso}`, `buuid=${uuid}`),
  },
  {
    name: "28 Clonezilla",
    family: "clonezilla",
    files: {
      "live/Clonezilla-Live-Version": "clonezilla-live-3.1",
      "live/vmlinuz": kernel,
      "live/initrd.img": liveBoot,
      "live/filesystem.squashfs": "",
    },
    expected: linux(
      "/live/vmlinuz",
      ["/live/initrd.img"],
      "boot=live",
      `findiso=${iso}`,
      "components",
      "union=overlay",
    ),
  },
  {
    name: "29 Kali",
    family: "kali",
    files: {
      ".disk/info": "Kali GNU/Linux 2026.1",
      "live/vmlinuz-6.6-amd64": kernel,
      "live/initrd.img-6.6-amd64": liveBoot,
      "live/filesystem.squashfs": "",
    },
    expected: linux(
      "/live/vmlinuz-6.6-amd64",
      ["/live/initrd.img-6.6-amd64"],
      "boot=live",
      `findiso=${iso}`,
      "components",
    ),
  },
  {
    name: "30 Tails",
    family: "tails",
    files: {
      "isolinux/isolinux.cfg": "include live.cfg",
      "isolinux/live.cfg": [
        "label live",
        "  menu label ^Tails",
        "  kernel /live/vmlinuz",
        "  append initrd=/live/initrd.img boot=live config noprompt nopersistence slab_nomerge module=Tails",
      ].join("\n"),
      "live/vmlinuz": kernel,
      "live/initrd.img": liveBoot,
      "live/filesystem.squashfs": "",
    },
    expected: linux(
      "/live/vmlinuz",
      ["/live/initrd.img"],
      "boot=live",
      "config",
      "noprompt",
      "nopersistence",
      "slab_nomerge",
      "module=Tails",
      `findiso=${iso}`,
    ),
  },
  {
    name: "31 grml",
    family: "debian-live",
    files: {
      "boot/grub/loopback.cfg": "set loopback=1\nsource /boot/grub/header.cfg",
      "boot/grub/header.cfg":
        'menuentry "grml" { linux /boot/grml64/vmlinuz boot=live\n initrd /boot/grml64/initrd.img\n}',
      "boot/grml64/vmlinuz": kernel,
      "boot/grml64/initrd.img": liveBoot,
      "live/grml64/grml64.squashfs": "",
      "live/grml.squashfs": "",
    },
    expected: { kind: "configfile", path: "/boot/grub/loopback.cfg" },
  },
  {
    name: "32 Devuan",
    family: "live-boot",
    files: {
      "live/vmlinuz1": kernel,
      "live/initrd1.img": liveBoot,
      "live/vmlinuz2": kernel,
      "live/initrd2.img": liveBoot,
    },
    expected: linux("/live/vmlinuz1", ["/live/initrd1.img"], "boot=live", `findiso=${iso}`, "components"),
  },
  {
    name: "53 Proxmox",
    family: "proxmox",
    files: {
      "boot/grub/grub.cfg": "menuentry Install {\n linux /boot/linux26 ro ramdisk_size=1\n initrd /boot/initrd.img\n}",
      "boot/linux26": kernel,
      "boot/initrd.img": plain,
      ".cd-info": "",
    },
    expected: { refusal: /Proxmox looks for a disc/ },
  },
];
