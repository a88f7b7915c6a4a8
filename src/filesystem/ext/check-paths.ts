import { Failure } from "../../base/index.ts";
import { printableName } from "../../bytes/index.ts";
import { listDirectory } from "./directory-reader.ts";
import { rootInode } from "./inode.ts";
import { readInode } from "./inode-reader.ts";
import type { ExtSource } from "./source.ts";

/** The paths of these inodes, as far as a walk over the tree comes by them. Damage on the way is passed over. */
export async function pathsOf(source: ExtSource, wanted: ReadonlySet<number>): Promise<Map<number, string>> {
  const paths = new Map<number, string>();
  const seen = new Set<number>([rootInode]);
  const stack = [{ id: rootInode, path: "" }];
  if (wanted.has(rootInode)) paths.set(rootInode, "/");
  for (let next = stack.pop(); next !== undefined && paths.size < wanted.size; next = stack.pop()) {
    try {
      const directory = await readInode(source, next.id);
      if (directory.kind !== "directory") continue;
      for await (const items of listDirectory(source, directory)) {
        for (const { name, id } of items) {
          const path = `${next.path}/${printableName(name)}`;
          if (wanted.has(id) && !paths.has(id)) paths.set(id, path);
          if (seen.has(id) || !(await isDirectory(source, id))) continue;
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

async function isDirectory(source: ExtSource, id: number): Promise<boolean> {
  try {
    return (await readInode(source, id)).kind === "directory";
  } catch (error) {
    if (error instanceof Failure) return false;
    throw error;
  }
}
