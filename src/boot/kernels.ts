import { resolvePath, type FileSystem } from "../filesystem/index.ts";
import { readKernelArguments } from "./kernel-arguments.ts";
import { readArchitecture, type Architecture } from "./kernel-image.ts";

/** A kernel in `/boot`, by paths from the root of its file system. */
export interface Kernel {
  readonly version: string;
  readonly path: string;
  readonly initrd?: string;
  /** Its command line, where a boot menu has one. Variables of the menu stay as they are written. */
  readonly commandLine?: string;
  /** The machine that it is for, where its header tells. */
  readonly architecture?: Architecture;
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
  const commandLines = await readKernelArguments(fileSystem);
  const kernels: Kernel[] = [];
  for (const name of names) {
    const version = kernelName.exec(name)?.[1];
    if (version === undefined || kernels.length === kernelLimit) continue;
    const initrd = initrdNames(version).find((candidate) => names.has(candidate));
    const commandLine = commandLines.get(name);
    const architecture = await readArchitecture(fileSystem, await resolvePath(fileSystem, `/boot/${name}`));
    kernels.push({
      version,
      path: `/boot/${name}`,
      ...(initrd === undefined ? {} : { initrd: `/boot/${initrd}` }),
      ...(commandLine === undefined ? {} : { commandLine }),
      ...(architecture === undefined ? {} : { architecture }),
    });
  }
  const collator = new Intl.Collator("en", { numeric: true });
  return kernels.toSorted((a, b) => collator.compare(b.version, a.version));
}
