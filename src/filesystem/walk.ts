import { Failure } from "../base/index.ts";
import { printableName } from "../bytes/index.ts";
import type { DataPiece, FileEntry, HardLinkEntry, TreeEntry, TreeSource } from "../tree/index.ts";
import type { DirectoryItem, FileStat, FileSystem } from "./file-system.ts";
import { resolvePath, type ResolveOptions } from "./path.ts";

export type WalkOptions = ResolveOptions;

/** A batch ends with this many entries or this much content in memory, whichever comes first. */
const batchEntryLimit = 500;
const batchContentBytes = 2 * 1024 * 1024;
/** Larger files are streamed. */
const inlineFileBytes = 128 * 1024;
/** How many names are sorted at once; a directory with more comes in stretches, each sorted. */
const sortedNameLimit = 200_000;
/** How many files are looked at together, in the order of their ids, which is mostly that of the device. */
const statWindow = 500;

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
  let batch: (Found | HardLinkEntry)[] = [];
  let smallBytes = 0;
  for await (const some of walk(fileSystem, { path: "", stat: await fileSystem.stat(rootId) })) {
    for (const found of some) {
      const earlier = firstPaths.of(found);
      batch.push(earlier === undefined ? found : { path: found.path, kind: "hardlink", linkTarget: earlier });
      const isFile = earlier === undefined && found.stat.kind === "file";
      if (isFile && isSmall(found.stat)) smallBytes += found.stat.sizeBytes;
      const isStreamed = isFile && !isSmall(found.stat);
      if (!isStreamed && batch.length < batchEntryLimit && smallBytes < batchContentBytes) continue;
      yield await entriesOf(fileSystem, batch);
      batch = [];
      smallBytes = 0;
    }
  }
  if (batch.length > 0) yield await entriesOf(fileSystem, batch);
}

/** Small files, empty ones too, have their content in the batch. */
function isSmall(stat: FileStat): boolean {
  return stat.kind === "file" && stat.sizeBytes <= inlineFileBytes;
}

async function entriesOf(fileSystem: FileSystem, batch: readonly (Found | HardLinkEntry)[]): Promise<TreeEntry[]> {
  const contents = await smallContents(fileSystem, batch);
  const entries: TreeEntry[] = [];
  for (const one of batch) {
    if ("stat" in one) entries.push(await entryOf(fileSystem, one, contents.get(one)));
    else entries.push(one);
  }
  return entries;
}

async function entryOf(fileSystem: FileSystem, found: Found, pieces: DataPiece[] | undefined): Promise<FileEntry> {
  const { id, kind, mode, uid, gid, sizeBytes, modified, accessed, changed, created, xattrs, device } = found.stat;
  const content = pieces ?? (kind === "file" && !isSmall(found.stat) ? fileSystem.content(id) : undefined);
  return {
    path: found.path,
    kind,
    mode,
    uid,
    gid,
    sizeBytes: kind === "file" ? sizeBytes : 0,
    modified,
    ...(accessed === undefined ? {} : { accessed }),
    ...(changed === undefined ? {} : { changed }),
    ...(created === undefined ? {} : { created }),
    ...(xattrs === undefined ? {} : { xattrs }),
    ...(device === undefined ? {} : { device }),
    ...(kind === "symlink" ? { linkTarget: await fileSystem.readLink(id) } : {}),
    ...(content === undefined ? {} : { content }),
    ...(content === undefined || pieces !== undefined ? {} : { stretches: await fileSystem.stretches(id) }),
  };
}

/** Reads the small files of a batch in the order of their ids, all into one buffer. */
async function smallContents(
  fileSystem: FileSystem,
  batch: readonly (Found | HardLinkEntry)[],
): Promise<Map<Found, DataPiece[]>> {
  const contents = new Map<Found, DataPiece[]>();
  const small = batch.filter((one): one is Found => "stat" in one && isSmall(one.stat) && one.stat.sizeBytes > 0);
  const room = new Uint8Array(small.reduce((sum, { stat }) => sum + stat.sizeBytes, 0));
  let end = 0;
  for (const found of small.sort((a, b) => a.stat.id - b.stat.id)) {
    const pieces: DataPiece[] = [];
    for await (const { at, bytes } of fileSystem.content(found.stat.id)) {
      room.set(bytes, end);
      pieces.push({ at, bytes: room.subarray(end, end + bytes.length) });
      end += bytes.length;
    }
    if (pieces.length > 0) contents.set(found, pieces);
  }
  return contents;
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

/** Depth first, each directory before what it holds. Files come together with their neighbours. */
async function* walk(fileSystem: FileSystem, root: Found): AsyncGenerator<readonly Found[]> {
  const seen = new Set<number>();
  const stack: { readonly windows: AsyncGenerator<Found[]>; window: Found[]; next: number }[] = [];
  const enter = (found: Found) => {
    if (seen.has(found.stat.id)) {
      throw new Failure("damaged", `cannot walk the tree: directory ${found.stat.id} is reached a second time`, {
        hint: `the second way is "/${printableName(found.path)}"`,
      });
    }
    seen.add(found.stat.id);
    stack.push({ windows: childrenOf(fileSystem, found), window: [], next: 0 });
  };
  yield [root];
  if (root.stat.kind === "directory") enter(root);
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    if (top.next >= top.window.length) {
      const more = await top.windows.next();
      if (more.done === true) {
        stack.pop();
        continue;
      }
      top.window = more.value;
      top.next = 0;
    }
    // Up to the next directory, and that one.
    const from = top.next;
    const at = top.window.findIndex(({ stat }, n) => n >= from && stat.kind === "directory");
    top.next = at < 0 ? top.window.length : at + 1;
    yield top.window.slice(from, top.next);
    const directory = at < 0 ? undefined : top.window[at];
    if (directory !== undefined) enter(directory);
  }
}

async function* childrenOf(fileSystem: FileSystem, directory: Found): AsyncGenerator<Found[]> {
  const prefix = directory.path === "" ? "" : `${directory.path}/`;
  for await (const items of sortedItems(fileSystem, directory.stat.id)) {
    for (let from = 0; from < items.length; from += statWindow) {
      const window = items.slice(from, from + statWindow);
      const stats = await statAll(fileSystem, window);
      yield window.flatMap(({ name, id }) => {
        const stat = stats.get(id);
        return stat === undefined ? [] : [{ path: prefix + name, stat }];
      });
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
