import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { stopIfAborted } from "../../base/index.ts";
import { printableName } from "../../bytes/index.ts";
import type { DirectoryItem, FileStat, FileSystem } from "../../filesystem/index.ts";
import { isZero } from "../packed/index.ts";

/** In such stretches zeros are left out of what is compared: holes need not be in the same places. */
const grainBytes = 512;

export interface TreesToCompare {
  readonly before: FileSystem;
  readonly after: FileSystem;
  /** Data that stood before this place is known to be the same. */
  readonly changedFromBytes: number;
}

/** The first file that two file systems do not both have alike, as a sentence ends; undefined where all are the same. */
export async function compareTrees(
  { before, after, changedFromBytes }: TreesToCompare,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const waiting = [{ path: "", ids: [before.rootId, after.rootId] as const }];
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    stopIfAborted(signal);
    const [wanted, found] = [await itemsOf(before, folder.ids[0]), await itemsOf(after, folder.ids[1])];
    const surplus = [...found.keys()].find((name) => !wanted.has(name));
    if (surplus !== undefined) return `"${printableName(`${folder.path}/${surplus}`)}" is not in the backup`;
    // In the order of their ids files are mostly in that of the device.
    for (const [name, id] of [...wanted].toSorted((a, b) => a[1] - b[1])) {
      const path = `${folder.path}/${name}`;
      const other = found.get(name);
      if (other === undefined) return `"${printableName(path)}" is missing`;
      const [stat, otherStat] = [await before.stat(id), await after.stat(other)];
      if (!(await isSame({ before, after, changedFromBytes }, stat, otherStat)))
        return `"${printableName(path)}" is not the same`;
      if (stat.kind === "directory") waiting.push({ path, ids: [id, other] });
    }
  }
  return undefined;
}

async function itemsOf(fileSystem: FileSystem, id: number): Promise<Map<string, number>> {
  const items = new Map<string, number>();
  for await (const batch of fileSystem.list(id)) for (const item of batch) add(items, item);
  return items;
}

function add(items: Map<string, number>, { name, id }: DirectoryItem): void {
  items.set(name, id);
}

async function isSame(
  { before, after, changedFromBytes }: TreesToCompare,
  stat: FileStat,
  other: FileStat,
): Promise<boolean> {
  if (!isDeepStrictEqual(comparable(stat), comparable(other))) return false;
  if (stat.kind === "symlink") return (await before.readLink(stat.id)) === (await after.readLink(other.id));
  if (stat.kind !== "file" || !(await reaches(before, stat.id, changedFromBytes))) return true;
  return (await digestOf(before, stat.id)) === (await digestOf(after, other.id));
}

/** Whether any of a file's data stands behind a place, as far as can be told. */
async function reaches(fileSystem: FileSystem, id: number, fromBytes: number): Promise<boolean> {
  const places = fromBytes === 0 ? undefined : await fileSystem.places?.(id);
  return places === undefined || places.some(({ deviceAt, lengthBytes }) => deviceAt + lengthBytes > fromBytes);
}

function comparable(stat: FileStat): unknown {
  const { kind, mode, uid, gid, sizeBytes, modified, xattrs, device } = stat;
  const isFolder = kind === "directory"; // how much the names in it take differs
  return { kind, mode, uid, gid, modified, device, sizeBytes: isFolder ? 0 : sizeBytes, xattrs: [...(xattrs ?? [])] };
}

async function digestOf(fileSystem: FileSystem, id: number): Promise<string> {
  const hash = createHash("sha256");
  const place = Buffer.alloc(8);
  for await (const { at, bytes } of fileSystem.content(id)) {
    for (let start = 0; start < bytes.length;) {
      const end = Math.min(bytes.length, start + grainBytes - ((at + start) % grainBytes));
      const grain = bytes.subarray(start, end);
      if (!isZero(grain)) {
        place.writeDoubleLE(at + start);
        hash.update(place).update(grain);
      }
      start = end;
    }
  }
  return hash.digest("hex");
}
