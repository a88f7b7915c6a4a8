/** Every row of the table: from an ISO laid out as its members' the expected entry of the menu comes out. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { StartMethod } from "../../../src/key/recognise/index.ts";
import { families } from "../../../src/key/recognise/families/index.ts";
import { skipWithout } from "../../peers/peer.ts";
import {
  anaconda,
  archiso,
  casper,
  dracutLive,
  initrdOf,
  kernelStub,
  liveBoot,
  plain,
  recogniseSample,
  type SampleFiles,
} from "./sample-iso.ts";

const kernel = kernelStub();
const label = "SOME LABEL 7";
const spaced = "SOME\\x20LABEL\\x207";
const [iso, uuid] = ["${isoPath}", "${isosUuid}"];
const imgLoop = [`img_dev=/dev/disk/by-uuid/${uuid}`, `img_loop=${iso}`];
const antix = initrdOf("init", "live/bin/live-init", "lib/vfat.ko");
const netboot = initrdOf("init", "var/lib/dpkg/info/net-retriever.postinst", "lib/vfat.ko");
const discInstaller = initrdOf("init", "var/lib/dpkg/info/cdrom-detect.postinst");
const hdMedia = initrdOf("init", "var/lib/dpkg/info/iso-scan.postinst", "lib/vfat.ko");

interface Row {
  /** In the table of distributions, and who is meant. */
  readonly name: string;
  readonly family: string;
  readonly files: SampleFiles;
  readonly expected: StartMethod | { readonly refusal: RegExp };
}

const linux = (path: string, initrds: readonly string[], ...words: readonly string[]): StartMethod => {
  return { kind: "linux", kernel: path, initrds, words };
};

const dracutWords = [`root=live:CDLABEL=${spaced}`, "rd.live.image", `iso-scan/filename=${iso}`];
const anacondaWords = [`inst.stage2=hd:LABEL=${spaced}`, `iso-scan/filename=${iso}`];

const rows: readonly Row[] = [
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
    name: "11 Fedora live up to 41",
    family: "fedora-live-pxeboot",
    files: { "LiveOS/squashfs.img": "", "images/pxeboot/vmlinuz": kernel, "images/pxeboot/initrd.img": dracutLive },
    expected: linux("/images/pxeboot/vmlinuz", ["/images/pxeboot/initrd.img"], ...dracutWords),
  },
  {
    name: "12 Fedora live from 42 on",
    family: "fedora-live",
    files: { "LiveOS/squashfs.img": "", "boot/x86_64/loader/linux": kernel, "boot/x86_64/loader/initrd": dracutLive },
    expected: linux("/boot/x86_64/loader/linux", ["/boot/x86_64/loader/initrd"], ...dracutWords),
  },
  {
    name: "13 installer of Fedora",
    family: "anaconda",
    files: { "images/install.img": "", "images/pxeboot/vmlinuz": kernel, "images/pxeboot/initrd.img": anaconda },
    expected: linux("/images/pxeboot/vmlinuz", ["/images/pxeboot/initrd.img"], ...anacondaWords),
  },
  {
    name: "14 RHEL 8 DVD",
    family: "rhel-dvd",
    files: {
      "isolinux/isolinux.cfg":
        "label linux\n kernel vmlinuz\n append initrd=initrd.img inst.stage2=hd:LABEL=RHEL quiet",
      "isolinux/vmlinuz": kernel,
      "isolinux/initrd.img": anaconda,
      "images/install.img": "",
      "images/pxeboot/vmlinuz": kernel,
      "images/pxeboot/initrd.img": anaconda,
      ".discinfo": "1\n8.10\n",
      ".treeinfo": "[general]\nname = Red Hat Enterprise Linux 8.10.0\n",
      "BaseOS/": "",
    },
    expected: linux(
      "/isolinux/vmlinuz",
      ["/isolinux/initrd.img"],
      "quiet",
      "root=live:UUID=VOLUME",
      `iso-scan/filename=${iso}`,
      "inst.repo=file:///run/initramfs/live",
    ),
  },
  {
    name: "11, not 14: Fedora live that has ISOLINUX too",
    family: "fedora-live-pxeboot",
    files: {
      "isolinux/isolinux.cfg":
        "label linux\n kernel vmlinuz\n append initrd=initrd.img root=live:CDLABEL=F rd.live.image quiet",
      "isolinux/vmlinuz": kernel,
      "isolinux/initrd.img": dracutLive,
      "images/pxeboot/vmlinuz": kernel,
      "images/pxeboot/initrd.img": dracutLive,
      "LiveOS/squashfs.img": "",
    },
    expected: linux(
      "/isolinux/vmlinuz",
      ["/isolinux/initrd.img"],
      "root=live:CDLABEL=F",
      "rd.live.image",
      "quiet",
      `iso-scan/filename=${iso}`,
    ),
  },
  {
    name: "13, not 14: AlmaLinux DVD",
    family: "anaconda",
    files: {
      "isolinux/isolinux.cfg":
        "label linux\n kernel vmlinuz\n append initrd=initrd.img inst.stage2=hd:LABEL=Alma quiet",
      "isolinux/vmlinuz": kernel,
      "isolinux/initrd.img": anaconda,
      "images/install.img": "",
      "images/pxeboot/vmlinuz": kernel,
      "images/pxeboot/initrd.img": anaconda,
      ".discinfo": "1\n9.4\n",
      ".treeinfo": "[general]\nname = AlmaLinux 9.4\n",
      "BaseOS/": "",
    },
    expected: linux(
      "/isolinux/vmlinuz",
      ["/isolinux/initrd.img"],
      "inst.stage2=hd:LABEL=Alma",
      "quiet",
      `iso-scan/filename=${iso}`,
    ),
  },
  {
    name: "14, not 11: RHEL 7 DVD, whose installer is in /LiveOS",
    family: "rhel-dvd",
    files: {
      "isolinux/vmlinuz": kernel,
      "isolinux/initrd.img": anaconda,
      "images/pxeboot/vmlinuz": kernel,
      "images/pxeboot/initrd.img": anaconda,
      "LiveOS/squashfs.img": "",
      ".discinfo": "1\n7.9\n",
      ".treeinfo": "[general]\nname = Red Hat Enterprise Linux 7.9\n",
      "Packages/": "",
    },
    expected: linux(
      "/isolinux/vmlinuz",
      ["/isolinux/initrd.img"],
      "root=live:UUID=VOLUME",
      `iso-scan/filename=${iso}`,
      "inst.repo=file:///run/initramfs/live",
    ),
  },
  {
    name: "16, not 35: Universal Blue with an initrd beside its own",
    family: "universal-blue",
    files: {
      "boot/grub2/grub.cfg":
        "menuentry Bluefin { linux /boot/vmlinuz root=live:CDLABEL=B\n initrd /boot/initramfs.img\n}",
      "boot/vmlinuz": kernel,
      "boot/initramfs.img": dracutLive,
      "boot/initrd": plain,
      "LiveOS/squashfs.img": "",
    },
    expected: linux(
      "/boot/vmlinuz",
      ["/boot/initramfs.img"],
      "root=live:CDLABEL=B",
      "rd.live.image",
      `iso-scan/filename=${iso}`,
    ),
  },
  {
    name: "15 CentOS 7 live",
    family: "centos-live",
    files: { "isolinux/vmlinuz0": kernel, "isolinux/initrd0.img": dracutLive, "LiveOS/squashfs.img": "" },
    expected: linux("/isolinux/vmlinuz0", ["/isolinux/initrd0.img"], ...dracutWords, "rootfstype=auto", "ro"),
  },
  {
    name: "16 Universal Blue",
    family: "universal-blue",
    files: { "boot/vmlinuz": kernel, "boot/initramfs.img": dracutLive, "LiveOS/squashfs.img": "" },
    expected: linux("/boot/vmlinuz", ["/boot/initramfs.img"], ...dracutWords),
  },
  {
    name: "17 openSUSE live",
    family: "opensuse-live",
    files: {
      "boot/grub2/grub.cfg": [
        'menuentry "openSUSE" --class os {',
        "  linux ($root)/boot/x86_64/loader/linux root=live:CDLABEL=X rd.live.image rd.live.overlay.persistent rd.live.overlay.cowfs=ext4",
        "  initrd ($root)/boot/x86_64/loader/initrd",
        "}",
      ].join("\n"),
      "boot/x86_64/loader/linux": kernel,
      "boot/x86_64/loader/initrd": dracutLive,
      "LiveOS/squashfs.img": "",
    },
    expected: linux(
      "/boot/x86_64/loader/linux",
      ["/boot/x86_64/loader/initrd"],
      "root=live:CDLABEL=X",
      "rd.live.image",
      "rd.live.overlay.persistent",
      "rd.live.overlay.cowfs=ext4",
      `iso-scan/filename=${iso}`,
    ),
  },
  {
    name: "18 openSUSE DVD",
    family: "opensuse-installer",
    files: { "boot/x86_64/loader/linux": kernel, "boot/x86_64/loader/initrd": plain, "media.1/media": "" },
    expected: linux("/boot/x86_64/loader/linux", ["/boot/x86_64/loader/initrd"], `install=hd:${iso}`),
  },
  {
    name: "19 Arch Linux",
    family: "arch",
    files: {
      "loader/entries/01-arch.conf": [
        "title    Arch Linux install medium",
        "linux    /arch/boot/x86_64/vmlinuz-linux",
        "initrd   /arch/boot/x86_64/initramfs-linux.img",
        "options  archisobasedir=arch archisosearchuuid=2026-01-01-00-00-00-00",
      ].join("\n"),
      "arch/boot/x86_64/vmlinuz-linux": kernel,
      "arch/boot/x86_64/initramfs-linux.img": archiso,
    },
    expected: linux(
      "/arch/boot/x86_64/vmlinuz-linux",
      ["/arch/boot/x86_64/initramfs-linux.img"],
      "archisobasedir=arch",
      "archisosearchuuid=2026-01-01-00-00-00-00",
      ...imgLoop,
    ),
  },
  {
    name: "20 BlackArch and Arch of old",
    family: "arch-old",
    files: {
      "blackarch/boot/x86_64/vmlinuz": kernel,
      "blackarch/boot/x86_64/archiso.img": archiso,
      "blackarch/boot/intel_ucode.img": cpioFile(),
    },
    expected: linux(
      "/blackarch/boot/x86_64/vmlinuz",
      ["/blackarch/boot/intel_ucode.img", "/blackarch/boot/x86_64/archiso.img"],
      ...imgLoop,
      "archisobasedir=blackarch",
      `archisolabel=${spaced}`,
    ),
  },
  {
    name: "21 EndeavourOS",
    family: "arch",
    files: {
      "arch/boot/x86_64/vmlinuz-linux-lts": kernel,
      "arch/boot/x86_64/initramfs-linux-lts.img": archiso,
      "arch/boot/amd-ucode.img": cpioFile(),
      "arch/boot/intel-ucode.img": cpioFile(),
    },
    expected: linux(
      "/arch/boot/x86_64/vmlinuz-linux-lts",
      ["/arch/boot/intel-ucode.img", "/arch/boot/amd-ucode.img", "/arch/boot/x86_64/initramfs-linux-lts.img"],
      ...imgLoop,
      "archisobasedir=arch",
      `archisolabel=${spaced}`,
    ),
  },
  {
    name: "22 Manjaro",
    family: "manjaro",
    files: {
      "boot/vmlinuz-x86_64": kernel,
      "boot/initramfs-x86_64.img": initrdOf("init", "hooks/miso", "hooks/miso_loop_mnt"),
      "boot/intel_ucode.img": cpioFile(),
      "boot/amd_ucode.img": cpioFile(),
      "manjaro/": "",
    },
    expected: linux(
      "/boot/vmlinuz-x86_64",
      ["/boot/intel_ucode.img", "/boot/amd_ucode.img", "/boot/initramfs-x86_64.img"],
      ...imgLoop,
      "misobasedir=manjaro",
      `misolabel=${spaced}`,
    ),
  },
  {
    name: "23 Artix",
    family: "artix",
    files: {
      "boot/vmlinuz-x86_64": kernel,
      "boot/initramfs-x86_64.img": initrdOf("init", "hooks/artix_loop_mnt"),
      "boot/intel-ucode.img": cpioFile(),
      "boot/amd-ucode.img": cpioFile(),
    },
    expected: linux(
      "/boot/vmlinuz-x86_64",
      ["/boot/intel-ucode.img", "/boot/amd-ucode.img", "/boot/initramfs-x86_64.img"],
      ...imgLoop,
    ),
  },
  {
    name: "24 SystemRescue",
    family: "systemrescue",
    files: {
      "sysresccd/boot/x86_64/vmlinuz": kernel,
      "sysresccd/boot/x86_64/sysresccd.img": archiso,
      "sysresccd/boot/intel_ucode.img": cpioFile(),
      "sysresccd/boot/amd_ucode.img": cpioFile(),
    },
    expected: linux(
      "/sysresccd/boot/x86_64/vmlinuz",
      ["/sysresccd/boot/intel_ucode.img", "/sysresccd/boot/amd_ucode.img", "/sysresccd/boot/x86_64/sysresccd.img"],
      ...imgLoop,
      "archisobasedir=sysresccd",
    ),
  },
  {
    name: "25 SystemRescueCd 5",
    family: "systemrescuecd-old",
    files: { "isolinux/rescue64": kernel, "isolinux/initram.igz": plain },
    expected: linux("/isolinux/rescue64", ["/isolinux/initram.igz"], `isoloop=${iso}`),
  },
  ...[
    ["KaOS", "kdeos", "kdeisolabel"] as const,
    ["Parabola", "parabola", "parabolaisolabel"] as const,
    ["Hyperbola", "hyperbola", "hyperisolabel"] as const,
    ["Chakra", "chakra", "chakraisolabel"] as const,
  ].map(([name, folder, key]): Row => ({
    name: `26 ${name}`,
    family: folder,
    files: {
      [`${folder}/boot/x86_64/${folder}iso`]: kernel,
      [`${folder}/boot/x86_64/${folder}iso.img`]: initrdOf("init", `hooks/${folder}iso_loop_mnt`),
    },
    expected: linux(
      `/${folder}/boot/x86_64/${folder}iso`,
      [`/${folder}/boot/x86_64/${folder}iso.img`],
      ...imgLoop,
      `${key}=${spaced}`,
    ),
  })),
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
    name: "33 Gentoo with genkernel",
    family: "gentoo-old",
    files: { "boot/gentoo": kernel, "boot/gentoo.igz": plain, "image.squashfs": "" },
    expected: linux(
      "/boot/gentoo",
      ["/boot/gentoo.igz"],
      `isoboot=${iso}`,
      "root=/dev/ram0",
      "init=/linuxrc",
      "looptype=squashfs",
      "loop=/image.squashfs",
      "cdroot",
      "dokeymap",
    ),
  },
  {
    name: "33 Gentoo with dracut",
    family: "gentoo",
    files: { "boot/gentoo": kernel, "boot/gentoo.igz": dracutLive, "image.squashfs": "" },
    expected: linux("/boot/gentoo", ["/boot/gentoo.igz"], ...dracutWords),
  },
  {
    name: "34 Calculate",
    family: "calculate",
    files: { "boot/vmlinuz": kernel, "boot/initrd": dracutLive, "livecd.squashfs": "" },
    expected: linux(
      "/boot/vmlinuz",
      ["/boot/initrd"],
      `root=live:LABEL=${spaced}`,
      "init=/linuxrc",
      "rd.live.squashimg=livecd.squashfs",
      `iso-scan/filename=${iso}`,
    ),
  },
  {
    name: "34 Pentoo",
    family: "pentoo",
    files: { "isolinux/pentoo": kernel, "isolinux/pentoo.igz": plain, "image.squashfs": "" },
    expected: linux("/isolinux/pentoo", ["/isolinux/pentoo.igz"], `isoboot=${iso}`),
  },
  {
    name: "35 Void",
    family: "void",
    files: { "boot/vmlinuz": kernel, "boot/initrd": dracutLive, "LiveOS/squashfs.img": "" },
    expected: linux(
      "/boot/vmlinuz",
      ["/boot/initrd"],
      ...dracutWords,
      "ro",
      "init=/sbin/init",
      "rd.luks=0",
      "rd.md=0",
      "rd.dm=0",
    ),
  },
  {
    name: "36 Solus",
    family: "solus",
    files: { "boot/kernel": kernel, "boot/initrd.img": dracutLive, "LiveOS/squashfs.img": "" },
    expected: linux("/boot/kernel", ["/boot/initrd.img"], ...dracutWords),
  },
  {
    name: "37 OpenMandriva",
    family: "openmandriva",
    files: { "boot/vmlinuz0": kernel, "boot/liveinitrd.img": dracutLive, "LiveOS/squashfs.img": "" },
    expected: linux(
      "/boot/vmlinuz0",
      ["/boot/liveinitrd.img"],
      `root=live:LABEL=${spaced}`,
      `iso-scan/filename=${iso}`,
    ),
  },
  {
    name: "38 Mageia from the network",
    family: "mageia",
    files: { "isolinux/x86_64/vmlinuz": kernel, "isolinux/x86_64/all.rdz": plain },
    expected: linux("/isolinux/x86_64/vmlinuz", ["/isolinux/x86_64/all.rdz"]),
  },
  {
    name: "39 PCLinuxOS",
    family: "pclinuxos",
    files: { "isolinux/vmlinuz": kernel, "isolinux/initrd.gz": plain, "livecd.sqfs": "" },
    expected: linux(
      "/isolinux/vmlinuz",
      ["/isolinux/initrd.gz"],
      `bootfromiso=${iso}`,
      `root=UUID=${uuid}`,
      "livecd=livecd",
    ),
  },
  {
    name: "40 Slackware",
    family: "slackware",
    files: { "kernels/huge.s/bzImage": kernel, "isolinux/initrd.img": plain },
    expected: linux("/kernels/huge.s/bzImage", ["/isolinux/initrd.img"]),
  },
  {
    name: "41 Slackware Live",
    family: "slackware-live",
    files: { "boot/generic": kernel, "boot/initrd.img": plain, "liveslak/": "" },
    expected: linux(
      "/boot/generic",
      ["/boot/initrd.img"],
      `livemedia=/dev/disk/by-uuid/${uuid}:${iso}`,
      "load_ramdisk=1",
      "prompt_ramdisk=0",
      "rw",
    ),
  },
  {
    name: "41 Wifislax",
    family: "wifislax",
    files: { "boot/vmlinuz": kernel, "boot/initrd.xz": plain, "wifislax64/": "" },
    expected: linux(
      "/boot/vmlinuz",
      ["/boot/initrd.xz"],
      `livemedia=/dev/disk/by-uuid/${uuid}:${iso}`,
      "load_ramdisk=1",
      "prompt_ramdisk=0",
      "rw",
    ),
  },
  {
    name: "42 Slax",
    family: "slax",
    files: { "slax/boot/vmlinuz": kernel, "slax/boot/initrfs.img": plain },
    expected: linux("/slax/boot/vmlinuz", ["/slax/boot/initrfs.img"], `from=${iso}`),
  },
  {
    name: "43 Porteus",
    family: "porteus",
    files: { "boot/syslinux/vmlinuz": kernel, "boot/syslinux/initrd.xz": plain, "porteus/": "" },
    expected: linux("/boot/syslinux/vmlinuz", ["/boot/syslinux/initrd.xz"], `from=${iso}`),
  },
  {
    name: "44 Puppy",
    family: "puppy",
    files: { vmlinuz: kernel, "initrd.gz": plain, "puppy_fossa_9.5.sfs": "" },
    expected: { refusal: /\.sfs files/ },
  },
  {
    name: "45 Tiny Core",
    family: "tiny-core",
    files: { "boot/vmlinuz64": kernel, "boot/corepure64.gz": plain },
    expected: linux("/boot/vmlinuz64", ["/boot/corepure64.gz"], `iso=UUID=${uuid}${iso}`, "cde", "waitusb=5"),
  },
  {
    name: "46 SliTaz",
    family: "slitaz",
    files: {
      "boot/bzImage": kernel,
      "boot/rootfs1.gz": plain,
      "boot/rootfs2.gz": plain,
      "boot/rootfs3.gz": plain,
      "boot/rootfs4.gz": plain,
    },
    expected: linux(
      "/boot/bzImage",
      ["/boot/rootfs4.gz", "/boot/rootfs3.gz", "/boot/rootfs2.gz", "/boot/rootfs1.gz"],
      "root=/dev/null",
      "autologin",
    ),
  },
  {
    name: "47 Knoppix",
    family: "knoppix",
    files: { "boot/isolinux/linux64": kernel, "boot/isolinux/minirt.gz": plain },
    expected: linux("/boot/isolinux/linux64", ["/boot/isolinux/minirt.gz"], `bootfrom=/mnt-iso${iso}`),
  },
  {
    name: "48 Parted Magic",
    family: "parted-magic",
    files: { "pmagic/bzImage64": kernel, "pmagic/initrd.img": plain, "pmagic/fu.img": plain, "pmagic/m.img": plain },
    expected: linux(
      "/pmagic/bzImage64",
      ["/pmagic/initrd.img", "/pmagic/fu.img", "/pmagic/m.img"],
      `iso_filename=${iso}`,
      `uuid=${uuid}`,
      "edd=on",
    ),
  },
  {
    name: "49 PLoP",
    family: "plop",
    files: { "syslinux/kernel/bzImage": kernel, "syslinux/kernel/initramfs.gz": plain },
    expected: linux("/syslinux/kernel/bzImage", ["/syslinux/kernel/initramfs.gz"], `iso_filename=${iso}`),
  },
  {
    name: "50 Android-x86",
    family: "android",
    files: { kernel, "initrd.img": plain, "system.sfs": "" },
    expected: linux("/kernel", ["/initrd.img"], `iso-scan/filename=${iso}`, "androidboot.selinux=permissive"),
  },
  {
    name: "51 NixOS",
    family: "nixos",
    files: {
      "EFI/BOOT/grub.cfg": [
        'menuentry "NixOS installer" {',
        "  linux /boot/nix/store/abc-linux/bzImage init=/nix/store/def-nixos/init loglevel=4",
        "  initrd /boot/nix/store/ghi-initrd/initrd",
        "}",
      ].join("\n"),
      "boot/nix/store/abc-linux/bzImage": kernel,
      "boot/nix/store/ghi-initrd/initrd": plain,
      "nix-store.squashfs": "",
    },
    expected: linux(
      "/boot/nix/store/abc-linux/bzImage",
      ["/boot/nix/store/ghi-initrd/initrd"],
      "init=/nix/store/def-nixos/init",
      "loglevel=4",
      `findiso=${iso}`,
    ),
  },
  {
    name: "52 Alpine",
    family: "alpine",
    files: {
      "boot/grub/grub.cfg": "menuentry Alpine {\n linux /boot/vmlinuz-lts quiet\n initrd /boot/initramfs-lts\n}",
      "boot/vmlinuz-lts": kernel,
      "boot/initramfs-lts": plain,
      "apks/": "",
    },
    expected: { refusal: /Alpine Linux looks for its packages on partitions/ },
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
  {
    name: "54 Qubes OS of old",
    family: "qubes-xen",
    files: { "isolinux/xen.gz": "xen", "isolinux/vmlinuz": kernel, "isolinux/initrd.img": anaconda },
    expected: {
      kind: "multiboot",
      kernel: "/isolinux/xen.gz",
      words: [],
      modules: [
        { path: "/isolinux/vmlinuz", words: anacondaWords },
        { path: "/isolinux/initrd.img", words: [] },
      ],
    },
  },
  {
    name: "54 Qubes OS of old, by its own menu",
    family: "qubes-xen",
    files: {
      "isolinux/isolinux.cfg": [
        "label install",
        "  kernel mboot.c32",
        "  append xen.gz console=none --- vmlinuz inst.stage2=hd:LABEL=Q quiet --- initrd.img",
      ].join("\n"),
      "isolinux/xen.gz": "xen",
      "isolinux/vmlinuz": kernel,
      "isolinux/initrd.img": anaconda,
    },
    expected: {
      kind: "multiboot",
      kernel: "/isolinux/xen.gz",
      words: ["console=none"],
      modules: [
        {
          path: "/isolinux/vmlinuz",
          words: ["inst.stage2=hd:LABEL=Q", "quiet", `iso-scan/filename=${iso}`],
        },
        { path: "/isolinux/initrd.img", words: [] },
      ],
    },
  },
  {
    name: "54 Qubes OS",
    family: "anaconda",
    files: {
      "EFI/BOOT/grub.cfg": [
        "menuentry 'Install Qubes OS' {",
        "  linux /images/pxeboot/vmlinuz inst.stage2=hd:LABEL=QUBES-R4 plymouth.ignore-serial-consoles",
        "  initrd /images/pxeboot/initrd.img",
        "}",
      ].join("\n"),
      "images/install.img": "",
      "images/pxeboot/vmlinuz": kernel,
      "images/pxeboot/initrd.img": anaconda,
    },
    expected: linux(
      "/images/pxeboot/vmlinuz",
      ["/images/pxeboot/initrd.img"],
      "inst.stage2=hd:LABEL=QUBES-R4",
      "plymouth.ignore-serial-consoles",
      `iso-scan/filename=${iso}`,
    ),
  },
  {
    name: "55 4MLinux",
    family: "in-memory",
    files: { "boot/bzImage": kernel, "boot/initrd.gz": plain },
    expected: linux("/boot/bzImage", ["/boot/initrd.gz"]),
  },
  {
    name: "57 Kaspersky",
    family: "kaspersky",
    files: { "boot/grub/k-x86_64": kernel, "boot/grub/initrd.xz": plain },
    expected: linux("/boot/grub/k-x86_64", ["/boot/grub/initrd.xz"]),
  },
  {
    name: "61 FreeBSD",
    family: "freebsd",
    files: { "boot/kernel/kernel": "elf" },
    expected: {
      kind: "bsd",
      loader: "kfreebsd",
      kernel: "/boot/kernel/kernel",
      modules: [{ image: { kind: "whole" }, words: ["type=mfs_root"] }],
      environment: { "vfs.root.mountfrom": "cd9660:/dev/md0" },
    },
  },
  {
    name: "62 OpenBSD",
    family: "openbsd",
    files: { "7.8/amd64/bsd.rd": "elf" },
    expected: { kind: "bsd", loader: "kopenbsd", kernel: "/7.8/amd64/bsd.rd", modules: [], environment: {} },
  },
  {
    name: "63 NetBSD",
    family: "netbsd",
    files: { netbsd: "elf", "miniroot.kmod": "x" },
    expected: {
      kind: "bsd",
      loader: "knetbsd",
      kernel: "/netbsd",
      modules: [{ image: { kind: "file", path: "/miniroot.kmod" }, words: [] }],
      environment: {},
    },
  },
  {
    name: "64 SmartOS",
    family: "smartos",
    files: { "platform/i86pc/kernel/amd64/unix": "elf", "platform/i86pc/amd64/boot_archive": "x" },
    expected: {
      kind: "multiboot",
      kernel: "/platform/i86pc/kernel/amd64/unix",
      words: ["-B", "smartos=true"],
      modules: [{ path: "/platform/i86pc/amd64/boot_archive", words: [] }],
    },
  },
  {
    name: "65 Windows",
    family: "windows",
    files: { bootmgr: "x", "sources/boot.wim": "x", "EFI/BOOT/BOOTX64.EFI": "x" },
    expected: { refusal: /the installer of Windows/ },
  },
];

function cpioFile(): Uint8Array {
  return initrdOf("kernel/x86/microcode/GenuineIntel.bin");
}

for (const { name, family, files, expected } of rows) {
  test(`recognises ${name}`, { skip: skipWithout("xorriso") }, async () => {
    const iso = await recogniseSample(files, label);
    assert.equal(iso.family, family);
    if ("refusal" in expected) {
      assert.match(iso.refusal?.reason ?? "", expected.refusal);
      assert.deepEqual(iso.entries, []);
      return;
    }
    assert.equal(iso.refusal, undefined);
    const how = JSON.stringify(iso.entries[0]?.how).replaceAll(iso.volumeUuid, "VOLUME");
    assert.deepEqual(JSON.parse(how), expected);
  });
}

test("no row of the table is without its example", () => {
  const shown = new Set(rows.map(({ family }) => family));
  const missing = families.map(({ id }) => id).filter((id) => !shown.has(id));
  assert.deepEqual(missing, []);
});
