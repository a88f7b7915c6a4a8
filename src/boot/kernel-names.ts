/** A kernel as its file name tells it. */
export interface KernelName {
  /** Empty where the name has none. */
  readonly version: string;
  /** Names that other files have too: only one that has a kernel's header is a kernel. */
  readonly isVague: boolean;
}

const names: readonly (readonly [RegExp, isVague: boolean])[] = [
  [/^vmlinuz(?:-(.+))?$/, false], // Debian, Fedora, Arch (vmlinuz-linux), Alpine (vmlinuz-lts), SUSE
  [/^vmlinux(?:-(.+))?$/, true], // powerpc, riscv
  [/^bzImage(?:-(.+))?$/, true], // the kernel's own build
  [/^Image(?:-(.+))?$/, true], // SUSE on arm64
  [/^kernel-(.+)$/, true], // Gentoo
];
/** What stands where the version would: old kernels, and files beside them. */
const notVersions = /\.(?:old|sig|sign|hmac|sha\d+|gz\.hmac|config|map|txt|img|cfg|conf|tar|xz|deb|rpm)$/i;

/** What a file name says of a kernel; undefined where it is not how kernels are called. */
export function kernelNamed(name: string): KernelName | undefined {
  if (notVersions.test(name)) return undefined;
  for (const [pattern, isVague] of names) {
    const match = pattern.exec(name);
    if (match !== null) return { version: match[1] ?? "", isVague };
  }
  return undefined;
}

/** How distributions call the initrd of a kernel version. */
export function initrdNames(version: string): readonly string[] {
  if (version === "") return ["initrd.img", "initrd", "initramfs.img", "initramfs", "initrd.gz"];
  return [
    `initrd.img-${version}`,
    `initramfs-${version}.img`,
    `initrd-${version}`,
    `initrd-${version}.img`,
    `initramfs-${version}`,
  ];
}

/** What is loaded before an initrd: microcode for processors, as grub-mkconfig finds it. */
export const earlyInitrdNames: readonly string[] = [
  "intel-uc.img",
  "intel-ucode.img",
  "amd-uc.img",
  "amd-ucode.img",
  "early_ucode.cpio",
  "microcode.cpio",
];
