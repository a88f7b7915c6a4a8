import { stopIfAborted, type JobOptions } from "../../../base/index.ts";
import { sealAttributeBlock } from "../attribute-encoder.ts";
import type { BlockRun } from "../block-allocator.ts";
import { hasBlocks } from "../block-runs.ts";
import type { Committer } from "../commit.ts";
import { damaged } from "../../damaged.ts";
import { xattrBlockHeader, xattrMagic } from "../extended-attribute.ts";
import { inodeBase, resizeInode } from "../inode.ts";
import { readInode } from "../inode-reader.ts";
import type { EditVolume } from "../edit/edit-volume.ts";
import { FileMap } from "../edit/file-map.ts";
import { InodeStore } from "../edit/inode-store.ts";
import { inodesInUse } from "./inodes-in-use.ts";

/** So many blocks of one file are moved at once, that their map fits any journal. */
const movedAtOnce = 4096;
/** A transaction is made durable once so many blocks were moved, or so many structures changed. */
const movedPerCommit = 65536;
const changedPerCommit = 128;
const copyBytes = 1024 * 1024;

export interface EvacuationOptions extends JobOptions {
  /** Blocks from here on are to be free. */
  readonly endBlock: number;
  /** How many blocks are in use there, for the progress. */
  readonly expectedBlocks: number;
}

/**
 * Moves everything that files have from a block on to blocks before it, to which the volume is confined, in transactions of bounded size: after each of
 * them the file system is whole. Throws `no-space` where there is not enough room; what was moved stays moved.
 */
export async function evacuate(volume: EditVolume, committer: Committer, options: EvacuationOptions): Promise<void> {
  const evacuation = new Evacuation(volume, committer, options);
  await evacuation.moveAttributeBlocks();
  for await (const id of inodesInUse(volume.source)) await evacuation.moveFile(id);
  await evacuation.commit();
}

class Evacuation {
  readonly #volume: EditVolume;
  readonly #committer: Committer;
  readonly #options: EvacuationOptions;
  readonly #inodes: InodeStore;
  #movedInAll = 0;
  #movedSinceCommit = 0;

  constructor(volume: EditVolume, committer: Committer, options: EvacuationOptions) {
    this.#volume = volume;
    this.#committer = committer;
    this.#options = options;
    this.#inodes = new InodeStore(volume);
  }

  /** Files may share the block of their attributes: all of them change at once. */
  async moveAttributeBlocks(): Promise<void> {
    const users = new Map<number, number[]>();
    for await (const id of inodesInUse(this.#volume.source)) {
      const { xattrBlock } = await readInode(this.#volume.source, id);
      if (xattrBlock < this.#options.endBlock) continue;
      const others = users.get(xattrBlock);
      if (others === undefined) users.set(xattrBlock, [id]);
      else others.push(id);
    }
    for (const [block, ids] of users) {
      await this.#moveAttributeBlock(block, ids);
      await this.#noteMoved(1);
    }
  }

  /** Moves the data of one file, and the blocks of its map. */
  async moveFile(id: number): Promise<void> {
    const { layout, source } = this.#volume;
    // One has room for descriptors and not content; the other is what changes go through.
    if (id === resizeInode || id === layout.record.journalInode) return;
    for (;;) {
      const inode = await readInode(source, id);
      if (!hasBlocks(layout, inode)) return;
      const map = await FileMap.read(this.#volume, inode);
      const moved = await map.moveBefore(this.#options.endBlock, movedAtOnce, (from, to) => this.#copy(from, to));
      if (moved === 0) return;
      const { block, blockCount } = await map.store();
      const patchCount = this.#inodes.blockCount(blockCount + (await this.#inodes.attributeBlocks(inode)));
      await this.#inodes.change(id, (bytes) => {
        inodeBase.patch(bytes, { block });
        patchCount(bytes);
      });
      await this.#noteMoved(moved);
    }
  }

  async commit(): Promise<void> {
    await this.#volume.prepare();
    await this.#committer.commit(this.#volume.now);
    this.#movedSinceCommit = 0;
  }

  async #moveAttributeBlock(block: number, ids: readonly number[]): Promise<void> {
    const { layout, source, transaction } = this.#volume;
    const bytes = Uint8Array.from(await source.block(block, "an attribute block"));
    const { magic, referenceCount: references } = xattrBlockHeader.decode(bytes);
    if (magic !== xattrMagic) throw damaged(`the attribute block ${block}`, "its signature is missing");
    if (references !== ids.length) {
      throw damaged(`the attribute block ${block}`, `it counts ${references} inodes, and has ${ids.length}`);
    }
    const moved = await this.#volume.takeBlock(this.#volume.goalOf(ids[0] ?? 1));
    const checksumSeed = layout.hasChecksums ? layout.checksumSeed : undefined;
    sealAttributeBlock(bytes, { block: moved, references, checksumSeed });
    transaction.freshBlock(moved).set(bytes);
    for (const id of ids) {
      await this.#inodes.change(id, (inode) => {
        inodeBase.patch(inode, { xattrBlockLow: moved % 2 ** 32, xattrBlockHigh: Math.floor(moved / 2 ** 32) });
      });
    }
    this.#volume.release({ start: block, length: 1 });
  }

  async #copy(from: number, { start, length }: BlockRun): Promise<void> {
    const { blockSizeBytes, transaction, out } = this.#volume;
    const atOnce = copyBytes / blockSizeBytes;
    for (let n = 0; n < length; n += atOnce) {
      const bytes = new Uint8Array(Math.min(atOnce, length - n) * blockSizeBytes);
      await transaction.read((from + n) * blockSizeBytes, bytes);
      await out.put((start + n) * blockSizeBytes, bytes);
    }
  }

  async #noteMoved(blocks: number): Promise<void> {
    const { signal, onProgress, expectedBlocks } = this.#options;
    const { blockSizeBytes, transaction } = this.#volume;
    this.#movedInAll += blocks;
    this.#movedSinceCommit += blocks;
    onProgress?.({
      phase: "moving",
      doneBytes: Math.min(this.#movedInAll, expectedBlocks) * blockSizeBytes,
      totalBytes: expectedBlocks * blockSizeBytes,
    });
    if (this.#movedSinceCommit >= movedPerCommit || transaction.changed.size >= changedPerCommit) {
      await this.commit();
      stopIfAborted(signal);
    }
  }
}
