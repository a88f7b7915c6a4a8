import { Failure, stopIfAborted, type JobOptions } from "../base/index.ts";
import { encodeName } from "../bytes/index.ts";
import { resolvePath, type FileSystem } from "../filesystem/index.ts";
import type { DeviceNumber, EntryKind, Timestamp } from "../tree/index.ts";
import { openPlace, type PlaceOptions } from "./open-disk.ts";
import type { Place } from "./place.ts";

export interface ListItem {
  readonly name: string;
  /** Inode number, or what stands for it. */
  readonly id: number;
  readonly kind: EntryKind;
  /** The low 12 bits of `st_mode`. */
  readonly mode: number;
  readonly links: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
  readonly allocatedBytes: number;
  readonly modified: Timestamp;
  readonly device?: DeviceNumber;
  readonly linkTarget?: string;
  readonly hasXattrs: boolean;
}

/** What one folder holds; or one item alone, where the place names a file. */
export interface ListedFolder {
  /** Path in the file system, from `/`. Of a file: its own. */
  readonly path: string;
  readonly isFolder: boolean;
  /** Sorted by the bytes of their names. */
  readonly items: readonly ListItem[];
  /** What of it could not be read, one sentence each. */
  readonly problems: readonly string[];
}

/** Deeper trees are taken for a loop. */
const depthLimit = 4096;

/** Lists a folder, or with `isRecursive` everything below it, each folder before those in it. */
export async function* listFiles(
  place: Place,
  options: JobOptions & PlaceOptions & { readonly isRecursive: boolean },
): AsyncGenerator<ListedFolder> {
  await using open = await openPlace(place, options);
  const { fileSystem } = open;
  const id = await resolvePath(fileSystem, open.path);
  const path = normalPath(open.path);
  if ((await fileSystem.stat(id)).kind !== "directory") {
    const item = await itemOf(fileSystem, path.slice(path.lastIndexOf("/") + 1), id);
    yield { path, isFolder: false, items: [item], problems: [] };
    return;
  }
  const waiting = [{ path, id, depth: 0 }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    stopIfAborted(options.signal);
    const folder = await listFolder(fileSystem, next.path, next.id);
    yield folder;
    if (!options.isRecursive) return;
    if (next.depth >= depthLimit) {
      throw new Failure("damaged", `cannot list "${next.path}": it lies more than ${depthLimit} folders deep`);
    }
    for (const item of folder.items.toReversed()) {
      if (item.kind !== "directory") continue;
      const below = next.path === "/" ? `/${item.name}` : `${next.path}/${item.name}`;
      waiting.push({ path: below, id: item.id, depth: next.depth + 1 });
    }
  }
}

async function listFolder(fileSystem: FileSystem, path: string, id: number): Promise<ListedFolder> {
  const items: ListItem[] = [];
  const problems: string[] = [];
  try {
    for await (const batch of fileSystem.list(id)) {
      for (const { name, id: itemId } of batch) {
        try {
          items.push(await itemOf(fileSystem, name, itemId));
        } catch (error) {
          problems.push(reasonOf(error));
        }
      }
    }
  } catch (error) {
    problems.push(reasonOf(error));
  }
  return { path, isFolder: true, items: items.sort(byName), problems };
}

/** What a damaged part is told of with; anything but a failure is a bug and goes on. */
function reasonOf(error: unknown): string {
  if (error instanceof Failure) return error.message;
  throw error;
}

function byName(a: ListItem, b: ListItem): number {
  return Buffer.compare(encodeName(a.name), encodeName(b.name));
}

async function itemOf(fileSystem: FileSystem, name: string, id: number): Promise<ListItem> {
  const stat = await fileSystem.stat(id);
  return {
    name,
    id,
    kind: stat.kind,
    mode: stat.mode,
    links: stat.links,
    uid: stat.uid,
    gid: stat.gid,
    sizeBytes: stat.sizeBytes,
    allocatedBytes: stat.allocatedBytes,
    modified: stat.modified,
    ...(stat.device === undefined ? {} : { device: stat.device }),
    ...(stat.kind === "symlink" ? { linkTarget: await fileSystem.readLink(id) } : {}),
    hasXattrs: (stat.xattrs?.size ?? 0) > 0,
  };
}

function normalPath(path: string): string {
  return `/${path
    .split("/")
    .filter((name) => name !== "" && name !== ".")
    .join("/")}`;
}
