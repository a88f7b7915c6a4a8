import type { FileSystem } from "../filesystem/index.ts";
import { bootRoots } from "./boot-entries.ts";
import { compareVersions } from "./compare-versions.ts";
import { idOf, namesIn, unlessDamaged } from "./file-id.ts";
import type { Kernel } from "./kernels.ts";
import { readUnifiedKernel } from "./unified-kernel.ts";

const kernelLimit = 64;
const plainName = /^[\w.+~-]+\.efi$/i;

/** Unified kernel images where the Boot Loader Specification has them, the newest first. */
export async function findUnifiedKernels(
  fileSystem: FileSystem,
  onWarning: (message: string) => void,
): Promise<readonly Kernel[]> {
  const found = new Map<number, Kernel>();
  for (const root of bootRoots) {
    const folder = `${root}/EFI/Linux`;
    for (const name of await namesIn(fileSystem, folder)) {
      const path = `${folder}/${name}`;
      const id = plainName.test(name) ? await idOf(fileSystem, path, "file") : undefined;
      if (id === undefined || found.has(id) || found.size === kernelLimit) continue;
      const kernel = await unlessDamaged(path, onWarning, () => readUnifiedKernel(fileSystem, id));
      if (kernel === "none") onWarning(`"${path}" is no unified kernel image, and is left out`);
      if (kernel === undefined || kernel === "none") continue;
      const { architecture, commandLine, systemName } = kernel;
      const version = kernel.version || name.replace(/(\+\d+(-\d+)?)?\.efi$/i, "");
      const title = systemName === "" ? version : `${systemName} (${version})`;
      found.set(id, {
        version,
        path,
        commandLine,
        entries: [{ title, commandLine, initrds: [] }],
        ...(architecture === undefined ? {} : { architecture }),
        isUnified: true,
      });
    }
  }
  return [...found.values()].toSorted((a, b) => compareVersions(b.version, a.version));
}
