import type { FileEntry, TreeEntry, TreeSource } from "../tree/index.ts";

export interface TreeChange {
  /** A name that everything comes under: of the root itself, and before all other paths. `""`: paths stay. */
  readonly under: string;
  readonly change: (entry: FileEntry) => FileEntry;
}

/** A tree with other names and metadata. It owns nothing: the tree under it stays the caller's to close. */
export function changedTree(tree: TreeSource, { under, change }: TreeChange): TreeSource {
  const pathOf = (path: string): string => (path === "" || under === "" ? under + path : `${under}/${path}`);
  const changed = (entry: TreeEntry): TreeEntry =>
    entry.kind === "hardlink"
      ? { ...entry, path: pathOf(entry.path), linkTarget: pathOf(entry.linkTarget) }
      : { ...change(entry), path: pathOf(entry.path) };
  return {
    name: tree.name,
    ...(tree.totalBytes === undefined ? {} : { totalBytes: tree.totalBytes }),
    async *entries() {
      for await (const batch of tree.entries()) yield batch.map(changed);
    },
    async [Symbol.asyncDispose]() {},
  };
}
