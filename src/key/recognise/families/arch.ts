import type { Family } from "./family.ts";

const microcode = (folder: string): readonly string[] => [
  `${folder}/{intel_ucode.img,intel-ucode.img}`,
  `${folder}/{amd_ucode.img,amd-ucode.img}`,
];

/** Distributions with a tool of archiso's making under a name of their own. */
const renamed: readonly { readonly folder: string; readonly name: string; readonly label: string }[] = [
  { folder: "kdeos", name: "KaOS", label: "kdeisolabel" },
  { folder: "chakra", name: "Chakra", label: "chakraisolabel" },
  { folder: "parabola", name: "Parabola", label: "parabolaisolabel" },
  { folder: "hyperbola", name: "Hyperbola", label: "hyperisolabel" },
];

/** Arch Linux and those whose initrds are made after its archiso. */
export const archFamilies: readonly Family[] = [
  {
    id: "systemrescue",
    name: "SystemRescue",
    has: ["/sysresccd/boot/x86_64/vmlinuz"],
    convention: "archiso",
    boots: [
      {
        kernel: "/sysresccd/boot/x86_64/vmlinuz",
        initrds: [...microcode("/sysresccd/boot"), "/sysresccd/boot/x86_64/sysresccd.img"],
      },
    ],
    wordsWithoutMenu: ["archisobasedir=sysresccd"],
  },
  {
    id: "arch",
    name: "Arch Linux, EndeavourOS, ArchBang, Athena",
    has: ["/arch/boot/x86_64/vmlinuz-linux*"],
    convention: "archiso",
    boots: [
      {
        kernel: "/arch/boot/x86_64/vmlinuz-linux*",
        initrds: [
          ...microcode("/arch/boot"),
          ...microcode("${kernelFolder}"),
          "${kernelFolder}/initramfs-linux${*}.img",
        ],
      },
    ],
    wordsWithoutMenu: ["archisobasedir=arch", "archisolabel=${label}"],
  },
  {
    id: "arch-old",
    name: "Arch Linux of old, Antergos, ArchLabs, BlackArch, Bluestar",
    has: ["/*/boot/*/archiso.img"],
    convention: "archiso",
    boots: [
      {
        kernel: "/*/boot/{x86_64,i686}/vmlinuz",
        initrds: [...microcode("/${*}/boot"), "${kernelFolder}/archiso.img"],
      },
    ],
    wordsWithoutMenu: ["archisobasedir=${base}", "archisolabel=${label}"],
  },
  {
    id: "manjaro",
    name: "Manjaro, Mabox, Netrunner",
    has: ["/boot/vmlinuz-x86_64", "/manjaro"],
    convention: "archiso",
    boots: [{ kernel: "/boot/vmlinuz-x86_64", initrds: [...microcode("/boot"), "/boot/initramfs-x86_64.img"] }],
    wordsWithoutMenu: ["misobasedir=manjaro", "misolabel=${label}"],
  },
  {
    id: "artix",
    name: "Artix",
    has: ["/boot/vmlinuz-x86_64", "/boot/initramfs-x86_64.img"],
    convention: "archiso",
    boots: [{ kernel: "/boot/vmlinuz-x86_64", initrds: [...microcode("/boot"), "/boot/initramfs-x86_64.img"] }],
  },
  ...renamed.map(({ folder, name, label }): Family => {
    return {
      id: folder,
      name,
      has: [`/${folder}/boot/x86_64`],
      convention: "archiso",
      boots: [
        {
          kernel: `/${folder}/boot/x86_64/{vmlinuz,${folder}iso}`,
          initrds: [...microcode(`/${folder}/boot`), `/${folder}/boot/x86_64/{${folder}iso.img,kdeosiso.img}`],
        },
      ],
      wordsWithoutMenu: [`${label}=\${label}`],
    };
  }),
];
