import { resolvePath, type FileSystem } from "../../filesystem/index.ts";

/** A kernel in `/boot`, by paths from the root of its file system. */
interface Kernel {
  readonly version: string;
  readonly path: string;
  readonly initrd?: string;
}

export interface MenuOptions {
  /** Words for the kernel besides `root=`, such as `console=ttyS0 quiet`. */
  readonly kernelArguments?: string;
  /** Show the menu on the first serial port too. */
  readonly serial?: boolean;
  readonly timeoutSeconds: number;
}

/** Names that need no quoting in grub.cfg; distributions use no others. */
const plainName = /^[\w.+~-]+$/;
const kernelName = /^vmlinuz-(.+)$/;
const kernelLimit = 256;

/** Where distributions keep the initrd of a kernel version. */
const initrdNames = (version: string): readonly string[] => [
  `initrd.img-${version}`,
  `initramfs-${version}.img`,
  `initrd-${version}`,
];

/** The kernels in `/boot`, the newest first; none where there is no `/boot`. */
export async function findKernels(fileSystem: FileSystem): Promise<readonly Kernel[]> {
  if ((await fileSystem.find(fileSystem.rootId, "boot")) === undefined) return [];
  const folder = await resolvePath(fileSystem, "/boot");
  if ((await fileSystem.stat(folder)).kind !== "directory") return [];
  const names = new Set<string>();
  for await (const batch of fileSystem.list(folder)) {
    for (const { name } of batch) if (plainName.test(name)) names.add(name);
  }
  const kernels: Kernel[] = [];
  for (const name of names) {
    const version = kernelName.exec(name)?.[1];
    if (version === undefined || kernels.length === kernelLimit) continue;
    const initrd = initrdNames(version).find((candidate) => names.has(candidate));
    kernels.push({ version, path: `/boot/${name}`, ...(initrd === undefined ? {} : { initrd: `/boot/${initrd}` }) });
  }
  const collator = new Intl.Collator("en", { numeric: true });
  return kernels.toSorted((a, b) => collator.compare(b.version, a.version));
}

/** A `grub.cfg` with an entry for every kernel; the root is found by the UUID of the file system. */
export function makeMenu(kernels: readonly Kernel[], rootUuid: string, options: MenuOptions): string {
  const words = `root=UUID=${rootUuid} ro ${options.kernelArguments ?? ""}`.trimEnd();
  const entries = kernels.map(({ version, path, initrd }) => {
    const initrdLine = initrd === undefined ? "" : `  initrd ${initrd}\n`;
    return `menuentry "Linux ${version}" {\n  linux ${path} ${words}\n${initrdLine}}\n`;
  });
  const serial =
    options.serial === true ? "serial\nterminal_input console serial\nterminal_output console serial\n" : "";
  const search = `search --no-floppy --fs-uuid --set=root ${rootUuid}\n`;
  return `${serial}set timeout=${options.timeoutSeconds}\nset default=0\n${search}${entries.join("")}`;
}
