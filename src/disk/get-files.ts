import * as path from "node:path";
import { Failure, type JobOptions } from "../base/index.ts";
import { resolvePath, treeOf, type FileSystem } from "../filesystem/index.ts";
import { copyTree, FolderTarget, TarWriter, type TreeEntry, type TreeSource } from "../tree/index.ts";
import { openPlace, type PlaceOptions } from "./open-disk.ts";
import type { Place } from "./place.ts";

/** Where the files go: into a folder of this machine, or as a tar to whoever takes its bytes. */
export type GetTarget =
  | { readonly kind: "folder"; readonly path: string; readonly force: boolean }
  | { readonly kind: "tar"; readonly write: (bytes: Uint8Array) => Promise<void> };

export interface GotFiles {
  readonly fileCount: number;
  /** The bytes of all regular files. */
  readonly totalBytes: number;
  /** What could not be kept, one sentence each: owners, when not run by root. */
  readonly warnings: readonly string[];
}

/** Takes a file, or a folder with all below it, out of an image with everything that is known of them. */
export async function getFiles(
  place: Place,
  target: GetTarget,
  job: JobOptions & PlaceOptions = {},
): Promise<GotFiles> {
  await using open = await openPlace(place, job);
  const counter = new CountedTree(await sourceAt(open.fileSystem, open.path));
  if (target.kind === "tar") {
    await using tar = new TarWriter(target.write);
    await copyTree(counter, tar, job);
    return { ...counter.counts, warnings: tar.warnings };
  }
  await using folder = await FolderTarget.create(target.path, { force: target.force });
  await copyTree(counter, folder, job);
  return { ...counter.counts, warnings: folder.warnings };
}

/** A folder as a tree; a single file as a tree of itself under its name. */
async function sourceAt(fileSystem: FileSystem, filePath: string): Promise<TreeSource> {
  const id = await resolvePath(fileSystem, filePath);
  const { kind } = await fileSystem.stat(id);
  const tree = treeOf(fileSystem, filePath);
  if (kind === "directory") return tree;
  const name = path.posix.basename(filePath);
  if (name === "") throw new Failure("usage", `cannot take out "${filePath}": it names no file`);
  return {
    name: filePath,
    async *entries() {
      for await (const batch of tree.entries()) yield batch.map((entry): TreeEntry => ({ ...entry, path: name }));
    },
    async [Symbol.asyncDispose]() {},
  };
}

/** A tree that counts what is taken from it. */
class CountedTree implements TreeSource {
  readonly name: string;
  readonly #inner: TreeSource;
  #fileCount = 0;
  #totalBytes = 0;

  constructor(inner: TreeSource) {
    this.#inner = inner;
    this.name = inner.name;
  }

  get counts(): Pick<GotFiles, "fileCount" | "totalBytes"> {
    return { fileCount: this.#fileCount, totalBytes: this.#totalBytes };
  }

  async *entries(): AsyncGenerator<readonly TreeEntry[]> {
    for await (const batch of this.#inner.entries()) {
      this.#fileCount += batch.length;
      for (const entry of batch) if (entry.kind === "file") this.#totalBytes += entry.sizeBytes;
      yield batch;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inner[Symbol.asyncDispose]();
  }
}
