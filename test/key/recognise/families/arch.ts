import { archiso, initrdOf } from "../sample-iso.ts";
import { iso, kernel, label, linux, microcode, uuid, type Row } from "./row.ts";

const imgLoop = [`img_dev=/dev/disk/by-uuid/${uuid}`, `img_loop=${iso}`];

/** Arch Linux and those whose initrds are made after its archiso. */
export const archRows: readonly Row[] = [
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
      "blackarch/boot/intel_ucode.img": microcode,
    },
    expected: linux(
      "/blackarch/boot/x86_64/vmlinuz",
      ["/blackarch/boot/intel_ucode.img", "/blackarch/boot/x86_64/archiso.img"],
      ...imgLoop,
      "archisobasedir=blackarch",
      `archisolabel=${label}`,
    ),
  },
  {
    name: "21 EndeavourOS",
    family: "arch",
    files: {
      "arch/boot/x86_64/vmlinuz-linux-lts": kernel,
      "arch/boot/x86_64/initramfs-linux-lts.img": archiso,
      "arch/boot/amd-ucode.img": microcode,
      "arch/boot/intel-ucode.img": microcode,
    },
    expected: linux(
      "/arch/boot/x86_64/vmlinuz-linux-lts",
      ["/arch/boot/intel-ucode.img", "/arch/boot/amd-ucode.img", "/arch/boot/x86_64/initramfs-linux-lts.img"],
      ...imgLoop,
      "archisobasedir=arch",
      `archisolabel=${label}`,
    ),
  },
  {
    name: "22 Manjaro",
    family: "manjaro",
    files: {
      "boot/vmlinuz-x86_64": kernel,
      "boot/initramfs-x86_64.img": initrdOf("init", "hooks/miso", "hooks/miso_loop_mnt"),
      "boot/intel_ucode.img": microcode,
      "boot/amd_ucode.img": microcode,
      "manjaro/": "",
    },
    expected: linux(
      "/boot/vmlinuz-x86_64",
      ["/boot/intel_ucode.img", "/boot/amd_ucode.img", "/boot/initramfs-x86_64.img"],
      ...imgLoop,
      "misobasedir=manjaro",
      `misolabel=${label}`,
    ),
  },
  {
    name: "23 Artix",
    family: "artix",
    files: {
      "boot/vmlinuz-x86_64": kernel,
      "boot/initramfs-x86_64.img": initrdOf("init", "hooks/artix_loop_mnt"),
      "boot/intel-ucode.img": microcode,
      "boot/amd-ucode.img": microcode,
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
      "sysresccd/boot/intel_ucode.img": microcode,
      "sysresccd/boot/amd_ucode.img": microcode,
    },
    expected: linux(
      "/sysresccd/boot/x86_64/vmlinuz",
      ["/sysresccd/boot/intel_ucode.img", "/sysresccd/boot/amd_ucode.img", "/sysresccd/boot/x86_64/sysresccd.img"],
      ...imgLoop,
      "archisobasedir=sysresccd",
    ),
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
      `${key}=${label}`,
    ),
  })),
];
