import { encodeName } from "../../bytes/index.ts";
import type { EntryKind } from "../../tree/index.ts";
import { EntryPacker, sealDirectoryBlocks } from "./directory-entry-packer.ts";
import { layOutIndexedDirectory } from "./directory-index-writer.ts";
import type { ExtVolume } from "./volume.ts";

/** A name in a directory that is about to be written. */
export interface NewDirectoryItem {
  readonly name: string;
  readonly inode: number;
  readonly kind: EntryKind;
}

/** A directory laid out: its blocks one after the other. */
export interface DirectoryBlocks {
  readonly bytes: Uint8Array;
  readonly isIndexed: boolean;
}

export interface DirectoryToWrite {
  readonly inode: number;
  readonly parent: number;
  readonly items: Iterable<NewDirectoryItem>;
  /** At least so many blocks, empty where nothing is in them (lost+found). */
  readonly minimumBlocks?: number;
}

/** Lays out the blocks of a directory: a list where it fits one block, a hash index above it where it does not. */
export function layOutDirectory(volume: ExtVolume, directory: DirectoryToWrite): DirectoryBlocks {
  const list = new EntryPacker(volume);
  list.add(encodeName("."), directory.inode, "directory");
  list.add(encodeName(".."), directory.parent, "directory");
  const packed: { readonly name: Buffer; readonly inode: number; readonly kind: EntryKind }[] = [];
  for (const { name, inode, kind } of directory.items) {
    const bytes = encodeName(name);
    packed.push({ name: bytes, inode, kind });
    list.add(bytes, inode, kind);
  }
  if (list.blockCount > 1 && volume.has("dir_index")) {
    const indexed = layOutIndexedDirectory(volume, directory, packed);
    if (indexed !== undefined) return { bytes: indexed, isIndexed: true };
  }
  while (list.blockCount < (directory.minimumBlocks ?? 1)) list.startBlock();
  const bytes = list.finish();
  sealDirectoryBlocks(volume, directory.inode, bytes, 0);
  return { bytes, isIndexed: false };
}
