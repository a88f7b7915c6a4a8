import type { JobOptions } from "../base/index.ts";
import type { BlockDevice } from "../device/index.ts";
import type { TreeSource } from "../tree/index.ts";
import type { ExtKind, ExtOptions } from "./ext/index.ts";
import type { ExfatOptions } from "./exfat/index.ts";
import type { FatOptions, PlaceOnDisk } from "./fat/index.ts";

/** A file system to be made, by its kind. */
export type NewFileSystem = ExtOptions | FatOptions | ExfatOptions;

/** All kinds that can be made. `fat` is the kind of FAT that fits the size. */
export const extKinds: ReadonlySet<string> = new Set(["ext2", "ext3", "ext4"] satisfies ExtKind[]);
export const exfatKind = "exfat" satisfies ExfatOptions["kind"];
export const fatKinds: ReadonlySet<string> = new Set(["fat", "fat12", "fat16", "fat32"] satisfies FatOptions["kind"][]);

/**
 * Makes a file system over all of `device` and fills it from `sources`, in their order; gives warnings of what could
 * not be kept. The device reads as zeros, or else holds what no longer matters. Throws `no-space` where the files do
 * not fit.
 */
export async function makeFileSystem(
  device: BlockDevice,
  sources: readonly TreeSource[],
  { wanted, place, ...job }: JobOptions & { readonly wanted: NewFileSystem; readonly place: PlaceOnDisk },
): Promise<readonly string[]> {
  if (isFat(wanted)) {
    const { makeFat } = await import("./fat/index.ts");
    return (await makeFat(device, sources, { ...wanted, ...job, place })).warnings;
  }
  if (wanted.kind === exfatKind) {
    const { makeExfat } = await import("./exfat/index.ts");
    return (await makeExfat(device, sources, { ...wanted, ...job, place })).warnings;
  }
  const { makeExt } = await import("./ext/index.ts");
  return (await makeExt(device, sources, { ...wanted, ...job })).warnings;
}

/** How large a file system must be that has room for `sources` and little more, and what to ask for so that it has. */
export async function measureFileSystem(
  sources: readonly TreeSource[],
  wanted: NewFileSystem,
  job: JobOptions,
): Promise<{ readonly sizeBytes: number; readonly wanted: NewFileSystem }> {
  if (isFat(wanted)) {
    const { measureFat } = await import("./fat/index.ts");
    const { sizeBytes, rootEntries } = await measureFat(sources, wanted);
    return { sizeBytes, wanted: { ...wanted, rootEntries } };
  }
  if (wanted.kind === exfatKind) {
    const { measureExfat } = await import("./exfat/index.ts");
    return { sizeBytes: await measureExfat(sources, wanted), wanted };
  }
  const { measureExt } = await import("./ext/index.ts");
  const measured = await measureExt(sources, { ...wanted, ...job });
  const hasOwnCount = wanted.inodeRatioBytes !== undefined || wanted.inodeCount !== undefined;
  const { sizeBytes, blockSizeBytes, inodeCount } = measured;
  return { sizeBytes, wanted: { ...wanted, blockSizeBytes, ...(hasOwnCount ? {} : { inodeCount }) } };
}

/** How many bytes of files a new file system of a size has room for, each file in whole blocks. */
export async function roomIn(sizeBytes: number, wanted: NewFileSystem): Promise<number> {
  if (isFat(wanted)) {
    const { roomInFat } = await import("./fat/index.ts");
    return roomInFat(sizeBytes, wanted);
  }
  if (wanted.kind === exfatKind) {
    const { roomInExfat } = await import("./exfat/index.ts");
    return roomInExfat(sizeBytes, wanted);
  }
  const { roomInExt } = await import("./ext/index.ts");
  return roomInExt(sizeBytes, wanted);
}

function isFat(wanted: NewFileSystem): wanted is FatOptions {
  return fatKinds.has(wanted.kind);
}
