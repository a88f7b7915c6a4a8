import type { Row } from "./row.ts";

/** What is not Linux. */
export const otherRows: readonly Row[] = [
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
