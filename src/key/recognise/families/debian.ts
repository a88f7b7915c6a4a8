import type { Family } from "./family.ts";

const liveBoots = [
  { kernel: "/live/vmlinuz", initrds: ["/live/initrd{.img,.lz,.gz,}"] },
  { kernel: "/live/vmlinuz-*", initrds: ["/live/initrd.img-${*}"] },
  { kernel: "/live/vmlinuz*", initrds: ["/live/initrd${*}.img"] },
];
const casperBoots = [
  { kernel: "/casper/vmlinuz", initrds: ["/casper/initrd{,.lz,.gz,.img}"] },
  { kernel: "/casper/vmlinuz.efi", initrds: ["/casper/initrd{,.lz,.gz,.img}"] },
  { kernel: "/casper/hwe-vmlinuz", initrds: ["/casper/hwe-initrd"] },
];

/** Debian, Ubuntu and those made from them. */
export const debianFamilies: readonly Family[] = [
  {
    id: "mint",
    name: "Linux Mint",
    has: ["/casper/vmlinuz*", "/preseed/linuxmint.seed"],
    convention: "casper",
    boots: casperBoots,
    words: ["file=/cdrom/preseed/linuxmint.seed"],
  },
  {
    id: "pop-os",
    name: "Pop!_OS",
    has: ["/casper_*/vmlinuz.efi"],
    convention: "casper",
    boots: [{ kernel: "/casper_*/vmlinuz.efi", initrds: ["/casper_${*}/initrd.gz"] }],
    words: ["hostname=pop-os", "username=pop-os", "noprompt", "live-media-path=${kernelFolder}"],
  },
  {
    id: "ubuntu-server",
    name: "Ubuntu Server",
    has: ["/casper/vmlinuz*", "/casper/ubuntu-server-minimal*"],
    convention: "casper",
    boots: casperBoots,
  },
  {
    id: "ubuntu",
    name: "Ubuntu and what is made from it (Kubuntu, Xubuntu, elementary, Zorin, KDE neon, Linux Lite, Rescuezilla)",
    has: ["/casper/vmlinuz*"],
    convention: "casper",
    boots: casperBoots,
  },
  {
    id: "lmde",
    name: "Linux Mint Debian Edition",
    has: ["/live/vmlinuz"],
    says: { path: "/.disk/info", pattern: /\b(?:LMDE|Mint)\b/i },
    convention: "live-boot",
    boots: liveBoots,
    words: ["live-config", "live-media-path=/live"],
  },
  {
    id: "clonezilla",
    name: "Clonezilla Live, GParted Live and their kin",
    has: ["/live/{Clonezilla,GParted,DRBL}-Live-Version"],
    convention: "live-boot",
    boots: liveBoots,
    words: ["union=overlay", "components"],
  },
  {
    id: "tails",
    name: "Tails",
    has: ["/live/vmlinuz*"],
    menuSays: /^module=Tails$/,
    convention: "live-boot",
    boots: liveBoots,
    words: ["config", "nopersistence", "noprompt"],
  },
  {
    id: "kali",
    name: "Kali Linux, Parrot OS",
    has: ["/live/vmlinuz*"],
    says: { path: "/.disk/info", pattern: /\b(?:Kali|Parrot)\b/i },
    convention: "live-boot",
    boots: liveBoots,
    words: ["components"],
  },
  {
    id: "antix",
    name: "antiX, MX Linux",
    has: ["/antiX/vmlinuz", "/antiX/linuxfs"],
    convention: "antix",
    boots: [{ kernel: "/antiX/vmlinuz*", initrds: ["/antiX/initrd${*}.gz"] }],
  },
  {
    id: "debian-live",
    name: "Debian live and what is made by live-build (Devuan, BunsenLabs, SparkyLinux, Q4OS, grml)",
    has: ["/live/*.squashfs"],
    convention: "live-boot",
    boots: liveBoots,
  },
  {
    id: "live-boot",
    name: "a system with live-boot",
    has: ["/live/vmlinuz*"],
    convention: "live-boot",
    boots: liveBoots,
  },
  {
    id: "proxmox",
    name: "Proxmox",
    has: ["/boot/linux26", "/.cd-info"],
    boots: [{ kernel: "/boot/linux26", initrds: ["/boot/initrd.img"] }],
    refusal: {
      reason: "the installer of Proxmox looks for a disc or a stick of its own, not for an ISO file",
      hint: "write it to a stick of its own, or install Debian and add Proxmox to it",
    },
  },
  {
    id: "debian-installer-disc",
    name: "Debian's installer (netinst, CD, DVD)",
    has: ["/install.*/vmlinuz", "/dists", "/pool"],
    convention: "debian-installer-disc",
    boots: [{ kernel: "/install.*/vmlinuz", initrds: ["/install.${*}/initrd.gz"] }],
  },
  {
    id: "debian-installer-netboot",
    name: "Debian's and Ubuntu's installer from the network (mini.iso)",
    has: ["/linux", "/initrd.gz"],
    convention: "debian-installer-netboot",
    boots: [{ kernel: "/linux", initrds: ["/initrd.gz"] }],
  },
];
