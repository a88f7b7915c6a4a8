import { stopIfAborted, type JobOptions } from "../../../base/index.ts";
import { fileRuns, hasBlocks } from "../block-runs.ts";
import { extentBlockChecksum } from "../checksum.ts";
import type { Committer } from "../commit.ts";
import { damaged } from "../../damaged.ts";
import { recordsIn } from "../directory-block.ts";
import { directoryEntry } from "../directory-entry.ts";
import { directoryBlocks } from "../directory-reader.ts";
import type { ExtInode } from "../ext-inode.ts";
import { extentEntryBytes, extentHeader } from "../extent.ts";
import { hasFeature } from "../features.ts";
import { hasFlag, inodeBytes, readInode, seedOfInode } from "../inode-reader.ts";
import type { ExtLayout } from "../layout.ts";
import { DirectoryBlockEditor, endsWithTail } from "../edit/directory-block-editor.ts";
import { IndexNode } from "../edit/directory-index.ts";
import type { EditVolume } from "../edit/edit-volume.ts";
import { InodeStore } from "../edit/inode-store.ts";
import { inodesInUse } from "./inodes-in-use.ts";

/** The names of so many inodes are held in memory; for more all directories are read again. */
const heldInodes = 100_000;
const changedPerCommit = 128;

/** A name of an inode: an entry in a block of a directory. */
interface Name {
  /** The number that the directory had when the name was found. */
  readonly directory: number;
  readonly logical: number;
  readonly physical: number;
  readonly at: number;
}

/**
 * Whether inodes can be given other numbers: not where attributes or directories in inodes have numbers in them, nor
 * without a journal, for then two inodes would have the same blocks, or names would lead nowhere, between two writes.
 */
export function canMoveInodes({ features }: ExtLayout): boolean {
  if (hasFeature(features, "ea_inode") || hasFeature(features, "inline_data")) return false;
  return hasFeature(features, "has_journal");
}

/**
 * Gives all inodes above a number other ones below, and lets their names follow, in transactions of bounded size: after
 * each of them the file system is whole.
 */
export async function moveInodes(
  volume: EditVolume,
  committer: Committer,
  options: JobOptions & { readonly lastInode: number },
): Promise<void> {
  const mover = new InodeMover(volume, committer, options);
  for (;;) {
    const ids = await mover.inodesToMove(options.lastInode);
    if (ids.length === 0) break;
    const names = await mover.namesOf(new Set(ids));
    for (const id of ids) await mover.move(id, names.get(id) ?? []);
    await mover.commit();
  }
}

class InodeMover {
  readonly #volume: EditVolume;
  readonly #committer: Committer;
  readonly #options: JobOptions;
  readonly #inodes: InodeStore;
  /** New numbers by the old ones. */
  readonly #moved = new Map<number, number>();

  constructor(volume: EditVolume, committer: Committer, options: JobOptions) {
    this.#volume = volume;
    this.#committer = committer;
    this.#options = options;
    this.#inodes = new InodeStore(volume);
  }

  /** The first inodes in use above a number. */
  async inodesToMove(lastInode: number): Promise<number[]> {
    const ids: number[] = [];
    for await (const id of inodesInUse(this.#volume.source)) {
      if (id > lastInode) ids.push(id);
      if (ids.length >= heldInodes) break;
    }
    return ids;
  }

  /** All names of some inodes, `.` and `..` included. */
  async namesOf(ids: ReadonlySet<number>): Promise<Map<number, Name[]>> {
    const { source } = this.#volume;
    const names = new Map<number, Name[]>();
    this.#moved.clear();
    for await (const directory of inodesInUse(source)) {
      const inode = await readInode(source, directory);
      if (inode.kind !== "directory") continue;
      for await (const { logical, physical, block } of directoryBlocks(source, inode)) {
        for (const { at, inode: named } of recordsIn(block, 0, `directory ${directory}`)) {
          if (!ids.has(named)) continue;
          const name = { directory, logical, physical, at };
          const others = names.get(named);
          if (others === undefined) names.set(named, [name]);
          else others.push(name);
        }
      }
    }
    return names;
  }

  async move(id: number, names: readonly Name[]): Promise<void> {
    if (names.length === 0) throw damaged(`inode ${id}`, "it is in use and has no name");
    const raw = Uint8Array.from(await inodeBytes(this.#volume.source, id));
    const inode = await readInode(this.#volume.source, id);
    const isDirectory = inode.kind === "directory";
    const moved = await this.#volume.takeInode(1, isDirectory);
    await this.#inodes.change(moved, (bytes) => bytes.set(raw));
    this.#moved.set(id, moved);
    if (this.#volume.layout.hasChecksums) await this.#sealBlocks({ ...inode, id: moved });
    for (const name of names) await this.#redirect(name, moved);
    await this.#inodes.erase(id);
    this.#volume.releaseInode(id, isDirectory);
    if (this.#volume.transaction.changed.size >= changedPerCommit) {
      await this.commit();
      stopIfAborted(this.#options.signal);
    }
  }

  async commit(): Promise<void> {
    await this.#volume.prepare();
    await this.#committer.commit(this.#volume.now);
  }

  async #redirect({ directory, logical, physical, at }: Name, inode: number): Promise<void> {
    const bytes = await this.#volume.transaction.change(physical);
    directoryEntry.patch(bytes, { inode }, at);
    const current = await readInode(this.#volume.source, this.#moved.get(directory) ?? directory);
    this.#sealDirectoryBlock(current, logical, bytes);
  }

  /** The number of an inode is in the checksums of all that belongs to it. */
  async #sealBlocks(inode: ExtInode): Promise<void> {
    const { layout, source, transaction } = this.#volume;
    if (!hasBlocks(layout, inode)) return;
    const nodes: number[] = [];
    for await (const { count } of fileRuns(source, inode, (physical) => nodes.push(physical))) if (count === 0) break;
    for (const node of hasFlag(inode, "extents") ? nodes : []) {
      const bytes = await transaction.change(node);
      const tailAt = extentHeader.sizeBytes + extentHeader.get(bytes, "entryLimit") * extentEntryBytes;
      const checksum = extentBlockChecksum(bytes, tailAt, seedOfInode(layout, inode));
      new DataView(bytes.buffer, bytes.byteOffset).setUint32(tailAt, checksum, true);
    }
    if (inode.kind !== "directory") return;
    for await (const { logical, physical } of directoryBlocks(source, inode)) {
      this.#sealDirectoryBlock(inode, logical, await transaction.change(physical));
    }
  }

  #sealDirectoryBlock(directory: ExtInode, logical: number, bytes: Uint8Array): void {
    const { layout } = this.#volume;
    if (!layout.hasChecksums) return;
    const what = `directory ${directory.id}`;
    const seed = seedOfInode(layout, directory);
    const isRoot = logical === 0 && hasFlag(directory, "indexedDirectory");
    if (!isRoot && endsWithTail(bytes)) new DirectoryBlockEditor(bytes, { hasTail: true, what }).seal(seed);
    else new IndexNode(bytes, { isRoot, what }).seal(seed);
  }
}
