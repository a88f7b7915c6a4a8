import { Failure } from "../../base/index.ts";
import { printableName } from "../../bytes/index.ts";
import { listDirectory } from "./directory.ts";
import { readInode, type XfsInode } from "./inode.ts";
import type { XfsSource } from "./xfs-source.ts";

/** The paths of these inodes, as far as a walk over the tree comes by them. Damage on the way is passed over. */
export async function pathsOf(source: XfsSource, wanted: ReadonlySet<number>): Promise<Map<number, string>> {
  const { rootInode } = source.layout;
  const paths = new Map<number, string>(wanted.has(rootInode) ? [[rootInode, "/"]] : []);
  const seen = new Set<number>([rootInode]);
  const stack = [{ id: rootInode, path: "" }];
  for (let next = stack.pop(); next !== undefined && paths.size < wanted.size; next = stack.pop()) {
    const directory = await inodeOrNone(source, next.id);
    if (directory?.kind !== "directory") continue;
    try {
      for await (const items of listDirectory(source, directory)) {
        for (const { name, id } of items) {
          const path = `${next.path}/${printableName(name)}`;
          if (wanted.has(id) && !paths.has(id)) paths.set(id, path);
          if (seen.has(id) || (await inodeOrNone(source, id))?.kind !== "directory") continue;
          seen.add(id);
          stack.push({ id, path });
        }
      }
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
    }
  }
  return paths;
}

async function inodeOrNone(source: XfsSource, id: number): Promise<XfsInode | undefined> {
  try {
    return await readInode(source, id);
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}
