import type { Family } from "./family.ts";

/** What is not Linux. */
export const otherFamilies: readonly Family[] = [
  {
    id: "freebsd",
    name: "FreeBSD, pfSense, FreeNAS",
    has: ["/boot/kernel/kernel"],
    boots: [
      {
        kernel: "/boot/kernel/kernel",
        initrds: [],
        bsd: {
          loader: "kfreebsd",
          modules: [{ path: "whole", words: ["type=mfs_root"] }],
          environment: { "vfs.root.mountfrom": "cd9660:/dev/md0" },
        },
      },
    ],
  },
  {
    id: "openbsd",
    name: "the installer of OpenBSD",
    has: ["/*/{amd64,i386}/bsd.rd"],
    boots: [
      {
        kernel: "/*/amd64/bsd.rd",
        initrds: [],
        bsd: { loader: "kopenbsd", modules: [], architecture: "x86_64" },
      },
      {
        kernel: "/*/i386/bsd.rd",
        initrds: [],
        bsd: { loader: "kopenbsd", modules: [], architecture: "i386" },
      },
    ],
  },
  {
    id: "netbsd",
    name: "the installer of NetBSD",
    has: ["/netbsd", "/miniroot.kmod"],
    boots: [
      {
        kernel: "/netbsd",
        initrds: [],
        bsd: { loader: "knetbsd", modules: [{ path: "/miniroot.kmod", words: [] }] },
      },
    ],
  },
  {
    id: "smartos",
    name: "SmartOS",
    has: ["/platform/i86pc/kernel/amd64/unix"],
    boots: [
      {
        kernel: "/platform/i86pc/kernel/amd64/unix",
        initrds: [],
        multiboot: [{ path: "/platform/i86pc/amd64/boot_archive", words: [] }],
      },
    ],
    words: ["-B", "smartos=true"],
  },
  {
    id: "windows",
    name: "Windows",
    has: ["/sources/{boot,install}.{wim,esd,swm}"],
    boots: [],
    refusal: {
      reason: "the installer of Windows looks for its files on a disc or a stick of its own, not inside an ISO file",
      hint: "unpack it onto a FAT or NTFS partition of a stick of its own",
    },
  },
];
