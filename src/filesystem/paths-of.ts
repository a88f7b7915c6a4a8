import { Failure } from "../base/index.ts";
import { printableName } from "../bytes/index.ts";
import type { DirectoryItem } from "./file-system.ts";

/** A tree to walk. Both throw a failure where what they look at is damaged. */
interface WalkedTree {
  readonly rootId: number;
  list(id: number): AsyncIterable<readonly DirectoryItem[]>;
  isDirectory(id: number): Promise<boolean>;
}

/** The paths of these files, as far as a walk over the tree comes by them. Damage on the way is passed over. */
export async function pathsOf(tree: WalkedTree, wanted: ReadonlySet<number>): Promise<Map<number, string>> {
  const paths = new Map<number, string>(wanted.has(tree.rootId) ? [[tree.rootId, "/"]] : []);
  const seen = new Set<number>([tree.rootId]);
  const stack = [{ id: tree.rootId, path: "" }];
  for (let next = stack.pop(); next !== undefined && paths.size < wanted.size; next = stack.pop()) {
    try {
      for await (const items of tree.list(next.id)) {
        for (const { name, id } of items) {
          const path = `${next.path}/${printableName(name)}`;
          if (wanted.has(id) && !paths.has(id)) paths.set(id, path);
          if (seen.has(id) || !(await isSoundDirectory(tree, id))) continue;
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

async function isSoundDirectory(tree: WalkedTree, id: number): Promise<boolean> {
  try {
    return await tree.isDirectory(id);
  } catch (error) {
    if (error instanceof Failure) return false;
    throw error;
  }
}
