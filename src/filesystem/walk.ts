import { Failure } from "../base/index.ts";
import { printableName } from "../bytes/index.ts";
import type { DataPiece, FileEntry, TreeEntry, TreeSource } from "../tree/index.ts";
import type { DirectoryItem, FileStat, FileSystem } from "./file-system.ts";
import { resolvePath, type ResolveOptions } from "./path.ts";

export type WalkOptions = ResolveOptions;

/** A batch ends with this many entries or this much content in memory, whichever comes first. */
const batchEntryLimit = 1000;
const batchContentBytes = 4 * 1024 * 1024;
/** Larger files are streamed. */
const inlineFileBytes = 128 * 1024;
/** How many names are sorted at once; a directory with more comes in stretches, each sorted. */
const sortedNameLimit = 200_000;
/** How many files are looked at together, in the order of their ids, which is mostly that of the device. */
const statWindow = 2000;

/**
 * The tree under a path of a file system, each directory before what it holds, names in order. A second name of
 * a file comes as a hard link. The file system stays the caller's to close. Throws `damaged` where the tree
 * leads back into itself.
 */
export function treeOf(fileSystem: FileSystem, path: string, options: WalkOptions = {}): TreeSource {
  return {
    name: path,
    entries: () => batchesOf(fileSystem, path, options),
    async [Symbol.asyncDispose]() {},
  };
}

interface Found {
  readonly path: string;
  readonly stat: FileStat;
}

async function* batchesOf(fileSystem: FileSystem, path: string, options: WalkOptions): AsyncGenerator<TreeEntry[]> {
  const rootId = await resolvePath(fileSystem, path, options);
  const firstPaths = new FirstPaths();
  let batch: TreeEntry[] = [];
  let small: Found[] = [];
  let smallBytes = 0;
  for await (const found of walk(fileSystem, { path: "", stat: await fileSystem.stat(rootId) })) {
    const earlier = firstPaths.of(found);
    if (earlier !== undefined) {
      batch.push({ path: found.path, kind: "hardlink", linkTarget: earlier });
    } else if (isSmall(found.stat)) {
      small.push(found);
      smallBytes += found.stat.sizeBytes;
      batch.push(await entryOf(fileSystem, found));
    } else {
      batch.push(await entryOf(fileSystem, found));
    }
    const isStreamed = earlier === undefined && found.stat.kind === "file" && !isSmall(found.stat);
    if (isStreamed || batch.length >= batchEntryLimit || smallBytes >= batchContentBytes) {
      yield await withContents(fileSystem, batch, small);
      batch = [];
      small = [];
      smallBytes = 0;
    }
  }
  if (batch.length > 0) yield await withContents(fileSystem, batch, small);
}

/** Small files, empty ones too, have their content in the batch. */
function isSmall(stat: FileStat): boolean {
  return stat.kind === "file" && stat.sizeBytes <= inlineFileBytes;
}

async function entryOf(fileSystem: FileSystem, found: Found): Promise<FileEntry> {
  const { id, links: _links, allocatedBytes: _allocatedBytes, ...rest } = found.stat;
  const entry = { ...rest, path: found.path };
  if (entry.kind === "symlink") return { ...entry, linkTarget: await fileSystem.readLink(id) };
  if (entry.kind === "file" && !isSmall(found.stat)) return { ...entry, content: fileSystem.content(id) };
  return entry;
}

/** Reads the small files of a batch in the order of their ids, all into one buffer. */
async function withContents(fileSystem: FileSystem, batch: TreeEntry[], small: Found[]): Promise<TreeEntry[]> {
  const contents = new Map<string, DataPiece[]>();
  const room = new Uint8Array(small.reduce((sum, { stat }) => sum + stat.sizeBytes, 0));
  let end = 0;
  for (const { path, stat } of small.toSorted((a, b) => a.stat.id - b.stat.id)) {
    if (stat.sizeBytes === 0) continue;
    const pieces: DataPiece[] = [];
    for await (const { at, bytes } of fileSystem.content(stat.id)) {
      room.set(bytes, end);
      pieces.push({ at, bytes: room.subarray(end, end + bytes.length) });
      end += bytes.length;
    }
    if (pieces.length > 0) contents.set(path, pieces);
  }
  return batch.map((entry) => {
    const content = contents.get(entry.path);
    return content === undefined ? entry : ({ ...entry, content } as FileEntry);
  });
}

/** The path under which a file with several names came first, until all its names have come. */
class FirstPaths {
  readonly #paths = new Map<number, { readonly path: string; left: number }>();

  /** The earlier path of a file that has one. */
  of({ path, stat }: Found): string | undefined {
    if (stat.links < 2 || stat.kind === "directory") return undefined;
    const first = this.#paths.get(stat.id);
    if (first === undefined) {
      this.#paths.set(stat.id, { path, left: stat.links - 1 });
      return undefined;
    }
    if (--first.left === 0) this.#paths.delete(stat.id);
    return first.path;
  }
}

/** Depth first, each directory before what it holds. */
async function* walk(fileSystem: FileSystem, root: Found): AsyncGenerator<Found> {
  const seen = new Set<number>();
  const stack: AsyncGenerator<Found>[] = [];
  const enter = (found: Found) => {
    if (seen.has(found.stat.id)) {
      throw new Failure("damaged", `cannot walk the tree: directory ${found.stat.id} is reached a second time`, {
        hint: `the second way is "/${printableName(found.path)}"`,
      });
    }
    seen.add(found.stat.id);
    stack.push(childrenOf(fileSystem, found));
  };
  yield root;
  if (root.stat.kind === "directory") enter(root);
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const next = await top.next();
    if (next.done === true) {
      stack.pop();
      continue;
    }
    yield next.value;
    if (next.value.stat.kind === "directory") enter(next.value);
  }
}

async function* childrenOf(fileSystem: FileSystem, directory: Found): AsyncGenerator<Found> {
  const prefix = directory.path === "" ? "" : `${directory.path}/`;
  for await (const items of sortedItems(fileSystem, directory.stat.id)) {
    for (let from = 0; from < items.length; from += statWindow) {
      const window = items.slice(from, from + statWindow);
      const stats = await statAll(fileSystem, window);
      for (const { name, id } of window) {
        const stat = stats.get(id);
        if (stat !== undefined) yield { path: prefix + name, stat };
      }
    }
  }
}

async function statAll(fileSystem: FileSystem, items: readonly DirectoryItem[]): Promise<Map<number, FileStat>> {
  const stats = new Map<number, FileStat>();
  for (const { id } of items.toSorted((a, b) => a.id - b.id)) {
    if (!stats.has(id)) stats.set(id, await fileSystem.stat(id));
  }
  return stats;
}

async function* sortedItems(fileSystem: FileSystem, id: number): AsyncGenerator<DirectoryItem[]> {
  let items: DirectoryItem[] = [];
  for await (const some of fileSystem.list(id)) {
    for (const item of some) items.push(item);
    if (items.length < sortedNameLimit) continue;
    yield items.sort(byName);
    items = [];
  }
  if (items.length > 0) yield items.sort(byName);
}

function byName(a: DirectoryItem, b: DirectoryItem): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
