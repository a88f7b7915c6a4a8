import type { Family } from "./family.ts";

const kiwiBoots = [{ kernel: "/boot/{x86_64,aarch64,i386}/loader/linux", initrds: ["${kernelFolder}/initrd"] }];
const pxeBoots = [{ kernel: "/images/pxeboot/vmlinuz", initrds: ["/images/pxeboot/initrd.img"] }];

/** Fedora, Red Hat, SUSE and others whose initrds are dracut's. */
export const fedoraFamilies: readonly Family[] = [
  {
    id: "qubes-xen",
    name: "the installer of Qubes OS up to 4.0",
    has: ["/isolinux/xen.gz", "/isolinux/vmlinuz", "/isolinux/initrd.img"],
    convention: "anaconda",
    boots: [
      {
        kernel: "/isolinux/xen.gz",
        initrds: [],
        multiboot: [
          { path: "/isolinux/vmlinuz", words: ["inst.stage2=hd:LABEL=${label}", "iso-scan/filename=${isoPath}"] },
          { path: "/isolinux/initrd.img", words: [] },
        ],
      },
    ],
    needsIso: true,
  },
  {
    id: "rhel-dvd",
    name: "the installation DVD of RHEL 7 and 8",
    has: ["/isolinux/vmlinuz", "/.discinfo", "/{Packages,BaseOS,repodata}"],
    says: { path: "/.treeinfo", pattern: /Red Hat Enterprise/ },
    convention: "anaconda",
    boots: [{ kernel: "/isolinux/vmlinuz", initrds: ["/isolinux/initrd.img"] }],
    words: ["root=live:UUID=${isoUuid}", "iso-scan/filename=${isoPath}", "inst.repo=file:///run/initramfs/live"],
    drops: ["inst.stage2"],
    replacesConvention: true,
  },
  {
    id: "anaconda",
    name: "the installer of Fedora, AlmaLinux, Rocky Linux, Oracle Linux, CentOS Stream",
    has: ["/images/pxeboot/vmlinuz", "/images/install.img"],
    lacks: ["/LiveOS/squashfs.img"],
    convention: "anaconda",
    boots: pxeBoots,
  },
  {
    id: "opensuse-live",
    name: "openSUSE live",
    has: ["/boot/*/loader/linux", "/LiveOS"],
    menuSays: /^rd\.live\.overlay\.persistent$/,
    convention: "dracut-live",
    boots: kiwiBoots,
    words: ["rd.live.overlay.persistent", "rd.live.overlay.cowfs=ext4"],
  },
  {
    id: "opensuse-installer",
    name: "the installer of openSUSE",
    has: ["/boot/*/loader/linux", "/{content,media.1}"],
    lacks: ["/LiveOS"],
    boots: kiwiBoots,
    words: ["install=hd:${isoPath}"],
  },
  {
    id: "fedora-live",
    name: "live systems of Fedora from 42 on",
    has: ["/boot/{x86_64,aarch64}/loader/linux"],
    convention: "dracut-live",
    boots: kiwiBoots,
  },
  {
    id: "fedora-live-pxeboot",
    name: "live systems of Fedora up to 41, AlmaLinux, Rocky Linux, CentOS Stream",
    has: ["/LiveOS/squashfs.img", "/images/pxeboot/vmlinuz"],
    convention: "dracut-live",
    boots: pxeBoots,
  },
  {
    id: "centos-live",
    name: "live systems of CentOS up to 7, Korora, NST, ROSA",
    has: ["/isolinux/vmlinuz0"],
    convention: "dracut-live",
    boots: [{ kernel: "/isolinux/vmlinuz0", initrds: ["/isolinux/initrd0.img"] }],
    words: ["rootfstype=auto", "ro"],
  },
  {
    id: "universal-blue",
    name: "Aurora, Bluefin, secureblue",
    has: ["/boot/vmlinuz", "/boot/initramfs.img", "/LiveOS"],
    convention: "dracut-live",
    boots: [{ kernel: "/boot/vmlinuz", initrds: ["/boot/initramfs.img"] }],
  },
  {
    id: "void",
    name: "Void Linux",
    has: ["/boot/vmlinuz", "/boot/initrd", "/LiveOS"],
    convention: "dracut-live",
    boots: [{ kernel: "/boot/vmlinuz", initrds: ["/boot/initrd"] }],
    words: ["ro", "init=/sbin/init", "rd.luks=0", "rd.md=0", "rd.dm=0"],
  },
  {
    id: "solus",
    name: "Solus",
    has: ["/boot/kernel", "/boot/initrd.img"],
    convention: "dracut-live",
    boots: [{ kernel: "/boot/kernel", initrds: ["/boot/initrd.img"] }],
  },
  {
    id: "openmandriva",
    name: "OpenMandriva",
    has: ["/boot/vmlinuz0", "/boot/liveinitrd.img"],
    convention: "dracut-live",
    boots: [{ kernel: "/boot/vmlinuz0", initrds: ["/boot/liveinitrd.img"] }],
    words: ["root=live:LABEL=${label}", "iso-scan/filename=${isoPath}"],
    replacesConvention: true,
  },
  {
    id: "mageia",
    name: "the installer of Mageia from the network",
    has: ["/isolinux/{x86_64,i586}/vmlinuz", "/isolinux/{x86_64,i586}/all.rdz"],
    boots: [{ kernel: "/isolinux/{x86_64,i586}/vmlinuz", initrds: ["${kernelFolder}/all.rdz"] }],
  },
  {
    id: "pclinuxos",
    name: "PCLinuxOS",
    has: ["/isolinux/vmlinuz", "/livecd.sqfs"],
    boots: [{ kernel: "/isolinux/vmlinuz", initrds: ["/isolinux/initrd.gz"] }],
    words: ["bootfromiso=${isoPath}", "root=UUID=${isosUuid}", "livecd=livecd"],
  },
];
