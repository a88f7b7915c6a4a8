import { damaged } from "../damaged.ts";
import type { CheckState } from "./check-state.ts";
import { readInodeHeader, refuseRoot, type InodeHeader } from "./group-headers.ts";
import { leavesOf, type GroupTree } from "./group-tree.ts";
import { chunkInodes, claimedCounts, countedIn, decodeChunk, isHole, type InodeChunk } from "./inode-chunks.ts";
import { inodePlace } from "./inode.ts";
import { finobt, inobt } from "./tree-kinds.ts";
import { xfsInode } from "./records.ts";

const noInode = 0xffffffff;

/** Reads the trees of inodes of a group: gathers its chunks, and compares what they and the header say. */
export async function checkInodeTrees(state: CheckState, group: number): Promise<void> {
  const { reader, layout } = state.source;
  const isSound = await state.report.attempt(async () => {
    const header = await readInodeHeader(reader, layout.superblock, group);
    await new InodeTreeCheck(state, group, header).run();
  });
  if (!isSound) state.unknownGroups.add(group);
}

class InodeTreeCheck {
  readonly #state: CheckState;
  readonly #group: number;
  readonly #header: InodeHeader;
  readonly #what: string;
  readonly #base: number;
  readonly #blocks: number[] = [];
  #withFree = 0;

  constructor(state: CheckState, group: number, header: InodeHeader) {
    this.#state = state;
    this.#group = group;
    this.#header = header;
    this.#what = `the inodes of XFS allocation group ${group}`;
    this.#base = group * 2 ** state.source.layout.inodeShift;
  }

  async run(): Promise<void> {
    const { report, inodeTreeBlocks, source } = this.#state;
    await this.#readChunks();
    if (source.layout.hasFreeInodeTree) await report.attempt(() => this.#compareFree());
    inodeTreeBlocks.set(this.#group, this.#blocks);
    await report.attempt(() => this.#readUnlinked());
  }

  #tree(kind: GroupTree["kind"], root: number, levels: number): GroupTree {
    return { kind, group: this.#group, blockCount: this.#header.blockCount, root, levels };
  }

  async *#chunks(tree: GroupTree): AsyncGenerator<InodeChunk> {
    const shape = { base: this.#base, isSparse: this.#state.source.layout.hasSparseInodes };
    for await (const { view, start, count, recordBytes } of leavesOf(this.#state.source, tree, (block) =>
      this.#blocks.push(block),
    )) {
      for (let n = 0; n < count; n++) {
        const at = start + n * recordBytes;
        const chunk = decodeChunk(view, at, shape);
        this.#refuseImpossible(chunk, claimedCounts(view, at, shape.isSparse));
        yield chunk;
      }
    }
  }

  #refuseImpossible(chunk: InodeChunk, claimed: { readonly count: number; readonly free: number }): void {
    const { inodesPerBlock } = this.#state.source.layout;
    const first = chunk.start - this.#base;
    const end = (first + chunkInodes) / inodesPerBlock;
    const isAligned = first % Math.min(inodesPerBlock, chunkInodes) === 0;
    if (!isAligned || (end > this.#header.blockCount && !isHole(chunk, chunkInodes - 1))) {
      throw damaged(this.#what, `a chunk of them cannot begin at ${chunk.start}`);
    }
    const { count, free } = countedIn(chunk);
    if (count === claimed.count && free === claimed.free) return;
    this.#state.report.error(
      `${this.#what}: of those from ${chunk.start} on ${claimed.free} of ${claimed.count} are said to be free, and ${free} of ${count} are`,
    );
  }

  async #readChunks(): Promise<void> {
    const { chunks, report, totals } = this.#state;
    const { root, levels, inodeCount, freeInodes } = this.#header;
    let [all, allFree] = [0, 0];
    for await (const chunk of this.#chunks(this.#tree(inobt, root, levels))) {
      const { count, free } = countedIn(chunk);
      chunks.add(chunk);
      all += count;
      allFree += free;
      if (free > 0) this.#withFree++;
    }
    totals.inodes += all;
    totals.freeInodes += allFree;
    if (all === inodeCount && allFree === freeInodes) return;
    report.error(`${this.#what}: ${freeInodes} of ${inodeCount} are said to be free, and ${allFree} of ${all} are`);
  }

  /** The tree of chunks with free inodes has the same records as the tree of all. */
  async #compareFree(): Promise<void> {
    const { chunks, report } = this.#state;
    const { freeRoot, freeLevels, blockCount } = this.#header;
    refuseRoot(this.#what, blockCount, { root: freeRoot, levels: freeLevels });
    let found = 0;
    for await (const chunk of this.#chunks(this.#tree(finobt, freeRoot, freeLevels))) {
      found++;
      const position = chunks.positionOf(chunk.start);
      const known = position < 0 ? undefined : chunks.at(position / chunkInodes);
      const isSame =
        known?.start === chunk.start && known.freeLow === chunk.freeLow && known.freeHigh === chunk.freeHigh;
      if (!isSame) report.error(`${this.#what}: its two trees do not agree on those from ${chunk.start} on`);
    }
    if (found !== this.#withFree) {
      report.error(`${this.#what}: one tree has ${found} chunks with free ones, the other ${this.#withFree}`);
    }
  }

  /** Follows the lists of inodes that were deleted while they were open. */
  async #readUnlinked(): Promise<void> {
    const { source, unlinked } = this.#state;
    for (const bucket of this.#header.unlinked) {
      for (let next = bucket; next !== noInode;) {
        const id = this.#base + next;
        if (unlinked.has(id)) throw damaged(this.#what, "a list of deleted ones leads back into itself");
        unlinked.add(id);
        const core = await source.structures.bytes(inodePlace(source, id), source.layout.inodeBytes);
        next = core[0] === 0x49 && core[1] === 0x4e ? xfsInode.get(core, "nextUnlinked") : noInode;
      }
    }
  }
}
