import type { Kernel } from "../kernels.ts";

export interface MenuOptions {
  /** Words for the kernel besides `root=`, such as `console=ttyS0 quiet`; of each, where they are not the same. */
  readonly kernelArguments?: string | ((kernel: Kernel) => string);
  /** Show the menu on the first serial port too. */
  readonly serial?: boolean;
  readonly timeoutSeconds: number;
}

/** GRUB names processors as kernels do, but for one. A program for either kind of PC starts kernels of both. */
const onArm = '[ "$grub_cpu" = "arm64" ]';
const onPc = '[ "$grub_cpu" != "arm64" ]';

/**
 * A `grub.cfg` with an entry for every kernel, the `first` of which is started unless someone chooses; the root is found
 * by the UUID of the file system. With kernels for different machines each machine sees its own.
 */
export function makeMenu(kernels: readonly Kernel[], rootUuid: string, options: MenuOptions, first = 0): string {
  const isForArm = ({ architecture }: Kernel): boolean => architecture === "arm64";
  const isMixed = kernels.some(isForArm) && !kernels.every(isForArm);
  const when = (condition: string, lines: string): string => `if ${condition}; then\n${lines}fi\n`;
  const groups = isMixed
    ? [onPc, onArm].map((condition) => {
        const own = kernels.filter((kernel) => isForArm(kernel) === (condition === onArm));
        return when(condition, own.map((kernel) => entryOf(kernel, rootUuid, options)).join(""));
      })
    : kernels.map((kernel) => entryOf(kernel, rootUuid, options));
  const search = `search --no-floppy --fs-uuid --set=root ${rootUuid}\n`;
  const serial = kernels.some(isForArm) ? when(onPc, serialLines) : serialLines; // GRUB for arm64 has no serial ports
  const beginning = `set timeout=${options.timeoutSeconds}\nset default=${isMixed ? 0 : first}\n`;
  return `${options.serial === true ? serial : ""}${beginning}${search}${groups.join("")}`;
}

const serialLines = "serial\nterminal_input console serial\nterminal_output console serial\n";

function entryOf(kernel: Kernel, rootUuid: string, { kernelArguments = "" }: MenuOptions): string {
  const { version, path, initrd } = kernel;
  const extra = typeof kernelArguments === "string" ? kernelArguments : kernelArguments(kernel);
  const words = `root=UUID=${rootUuid} ro ${extra}`.trimEnd();
  const initrdLine = initrd === undefined ? "" : `  initrd ${initrd}\n`;
  return `menuentry "Linux ${version}" {\n  linux ${path} ${words}\n${initrdLine}}\n`;
}
