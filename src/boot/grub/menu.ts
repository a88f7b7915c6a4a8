import type { Kernel } from "../kernels.ts";

export interface MenuOptions {
  /** Words for the kernel besides `root=`, such as `console=ttyS0 quiet`. */
  readonly kernelArguments?: string;
  /** Show the menu on the first serial port too. */
  readonly serial?: boolean;
  readonly timeoutSeconds: number;
}

/** A `grub.cfg` with an entry for every kernel; the root is found by the UUID of the file system. */
export function makeMenu(kernels: readonly Kernel[], rootUuid: string, options: MenuOptions, first = 0): string {
  const words = `root=UUID=${rootUuid} ro ${options.kernelArguments ?? ""}`.trimEnd();
  const entries = kernels.map(({ version, path, initrd }) => {
    const initrdLine = initrd === undefined ? "" : `  initrd ${initrd}\n`;
    return `menuentry "Linux ${version}" {\n  linux ${path} ${words}\n${initrdLine}}\n`;
  });
  const serial =
    options.serial === true ? "serial\nterminal_input console serial\nterminal_output console serial\n" : "";
  const search = `search --no-floppy --fs-uuid --set=root ${rootUuid}\n`;
  return `${serial}set timeout=${options.timeoutSeconds}\nset default=${first}\n${search}${entries.join("")}`;
}
