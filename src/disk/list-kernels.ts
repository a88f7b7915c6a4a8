import * as path from "node:path/posix";
import { findKernels, type Kernel } from "../boot/index.ts";
import { Failure, type JobOptions } from "../base/index.ts";
import { treeOf, type FileSystem } from "../filesystem/index.ts";
import { copyTree, FolderTarget, type TreeEntry, type TreeSource } from "../tree/index.ts";
import { openPlace } from "./open-disk.ts";
import type { Place } from "./place.ts";

export type { Kernel };

export interface ListKernelsOptions extends JobOptions {
  /** Put kernels and initrds into this folder, which is made. */
  readonly extractTo?: string;
  /** The folder may be there, and files in it are replaced. */
  readonly force: boolean;
  /** Told of what looks like a kernel or a menu and cannot be read: a sentence. */
  readonly onWarning?: (message: string) => void;
}

/** The kernels in `/boot` of a file system, the newest first. Throws `not-found` where there is none. */
export async function listKernels(place: Place, options: ListKernelsOptions): Promise<readonly Kernel[]> {
  await using open = await openPlace(place);
  const { onWarning } = options;
  const kernels = await findKernels(open.fileSystem, onWarning === undefined ? {} : { onWarning });
  if (kernels.length === 0) {
    throw new Failure("not-found", `cannot find a kernel in "${place.image}": there is none in /boot`, {
      hint: "name the partition that has it, as in IMAGE:2",
    });
  }
  if (options.extractTo === undefined) return kernels;
  await using folder = await FolderTarget.create(options.extractTo, { force: options.force });
  await copyTree(filesOf(open.fileSystem, kernels), folder, options);
  return kernels;
}

/** Kernels and initrds as a tree of their files alone. */
function filesOf(fileSystem: FileSystem, kernels: readonly Kernel[]): TreeSource {
  const all = kernels.flatMap(({ path: kernel, initrd, initrds }) => [
    kernel,
    ...(initrds ?? (initrd === undefined ? [] : [initrd])),
  ]);
  const paths = new Set(all);
  return {
    name: "kernels",
    async *entries() {
      for (const one of paths) {
        for await (const batch of treeOf(fileSystem, one).entries()) {
          yield batch.map((entry): TreeEntry => ({ ...entry, path: path.basename(one) }));
        }
      }
    },
    async [Symbol.asyncDispose]() {},
  };
}
